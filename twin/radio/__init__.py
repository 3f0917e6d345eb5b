"""The physical layer: statistical CSI, channel draws, and delay and Doppler compensation.

| question | place |
|---|---|
| where is statistical CSI derived? | `channel/csi_derivation.py`, `ChannelModel.csi` |
| where is fading drawn? | `channel/draws.py`, `draw_channels` |
| where is the phase error drawn? | `synchronisation/phase_error.py`, `draw_phase_errors` |
| where are shadowing and line-of-sight state drawn? | `channel/environment/surroundings.py` |

All of it takes plain values: neither a scenario nor a constellation is needed.
"""
