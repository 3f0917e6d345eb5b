"""Arrays, large-scale loss, fading: statistical CSI, which is known, and draws, which are the truth."""

from twin.channel.array import PlanarArray
from twin.channel.csi import StatisticalCsi
from twin.channel.draws import ChannelDraws, draw_channels
from twin.channel.model import ChannelModel, noise_power_w
from twin.channel.reach import Reach

__all__ = ["ChannelDraws", "ChannelModel", "PlanarArray", "Reach", "StatisticalCsi", "draw_channels", "noise_power_w"]
