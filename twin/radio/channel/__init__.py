"""Arrays, large-scale loss, fading: statistical CSI, which is known, and draws, which are the truth."""

from twin.radio.channel.array import PlanarArray
from twin.radio.channel.csi_derivation import ChannelModel
from twin.radio.channel.draws import ChannelDraws, draw_channels
from twin.radio.channel.noise import noise_power_w
from twin.radio.channel.statistical_csi import StatisticalCsi

__all__ = ["ChannelDraws", "ChannelModel", "PlanarArray", "StatisticalCsi", "draw_channels", "noise_power_w"]
