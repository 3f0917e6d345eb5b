"""OFDM parameters: carrier, subcarriers, symbol and cyclic prefix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from twin.errors import InputError
from twin.records import documented

NORMAL_CYCLIC_PREFIX_RATIO: Final = 144.0 / 2048.0
"""Normal cyclic prefix over the data part of a symbol (TS 38.211, Section 5.3.1; not the longer first prefix)."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Waveform:
    """Parameters of an OFDM signal (P3, eq. 4)."""

    carrier_hz: float
    """f_0: carrier frequency in Hz."""
    subcarrier_hz: float
    """Δf: subcarrier spacing in Hz."""
    subcarriers: int
    """N: number of used subcarriers."""
    prefix_s: float
    """T_cp: duration of the cyclic prefix in s."""

    def __post_init__(self) -> None:
        if not (self.carrier_hz > 0.0 and self.subcarrier_hz > 0.0 and self.subcarriers >= 1 and self.prefix_s >= 0.0):
            raise InputError(
                f"waveform: found carrier {self.carrier_hz:g} Hz, subcarriers {self.subcarriers} of"
                f" {self.subcarrier_hz:g} Hz, prefix {self.prefix_s:g} s; must be positive, the prefix at least 0"
            )

    @classmethod
    def of(
        cls,
        *,
        carrier_hz: float,
        subcarrier_hz: float,
        bandwidth_hz: float,
        cyclic_prefix_ratio: float = NORMAL_CYCLIC_PREFIX_RATIO,
    ) -> Self:
        """The waveform that fills a band, its cyclic prefix given as a ratio to the data part.

        >>> Waveform.of(carrier_hz=2e9, subcarrier_hz=30e3, bandwidth_hz=20e6).subcarriers
        666
        """
        return cls(
            carrier_hz=carrier_hz,
            subcarrier_hz=subcarrier_hz,
            subcarriers=int(bandwidth_hz / subcarrier_hz),
            prefix_s=cyclic_prefix_ratio / subcarrier_hz,
        )

    @property
    def data_s(self) -> float:
        """T = 1/Δf: duration of the data part of a symbol."""
        return 1.0 / self.subcarrier_hz

    @property
    def symbol_s(self) -> float:
        """T_sym = T_cp + T: duration of a symbol."""
        return self.prefix_s + self.data_s

    @property
    def squared_offset_hz2(self) -> float:
        """Mean square distance of the subcarriers from the band centre: Δf² (N² - 1)/12."""
        return self.subcarrier_hz**2 * (self.subcarriers**2 - 1) / 12.0
