"""Arrays, large-scale loss, fading: statistical CSI, which is known, and draws, which are the truth."""

from twin.radio.channel.array import PlanarArray
from twin.radio.channel.csi import StatisticalCsi
from twin.radio.channel.draws import ChannelDraws, draw_channels
from twin.radio.channel.model import ChannelModel, noise_power_w

__all__ = ["ChannelDraws", "ChannelModel", "PlanarArray", "StatisticalCsi", "draw_channels", "noise_power_w"]
