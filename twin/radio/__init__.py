"""The physical layer: statistical CSI, channel draws, and delay and Doppler compensation."""
