"""Antenna arrays, path loss, fading, statistical CSI and channel draws.

`csi_derivation` derives the record of `statistical_csi` from link geometry, by the selected models of `path_loss` and
`fading`. `draws` draws channels with these statistics; decisions never read them.
"""

from twin.radio.channel.array import PlanarArray
from twin.radio.channel.csi_derivation import ChannelModel
from twin.radio.channel.draws import ChannelDraws, draw_channels
from twin.radio.channel.noise import noise_power_w
from twin.radio.channel.statistical_csi import StatisticalCsi

__all__ = ["ChannelDraws", "ChannelModel", "PlanarArray", "StatisticalCsi", "draw_channels", "noise_power_w"]
