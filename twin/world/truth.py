"""The world as it is: what rates are scored in, and nothing else is given."""

from __future__ import annotations

from dataclasses import dataclass

from twin.arrays import BoolArray, IntArray
from twin.geometry.links import LinkStates
from twin.geometry.snapshot import Snapshot
from twin.geometry.windows import VisibilityWindows
from twin.radio.synchronisation import Compensation, Residual, residual
from twin.records import documented
from twin.uncertainty import Clocks
from twin.world.statistics import AlignedCsi, LinkStatistics


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """True geometry, channel statistics and clocks."""

    windows: VisibilityWindows
    """True visibility."""
    statistics: LinkStatistics
    """Channel statistics at true geometry."""
    clocks: Clocks
    """Of satellites and terminals."""

    def snapshot(self, epoch: int) -> Snapshot:
        """True geometry at the start of an epoch."""
        return self.windows.at(epoch)

    def csi(
        self,
        snapshot: Snapshot,
        norad_id: IntArray,
        applied: Compensation | None,
        *,
        serving: BoolArray | None = None,
    ) -> AlignedCsi:
        """True channel statistics of some satellites, with the alignment that the applied compensation leaves.

        Parameters
        ----------
        applied
            Delay and Doppler that the satellites compensate; None means those of the truth, without any error.
        serving
            (S,K) pairs to which the terminals synchronise; None means all.
        """
        if applied is None:
            return self.statistics.measured(snapshot, norad_id)
        links = snapshot.links(norad_id)
        return self.statistics.of(links, prediction_error=self.prediction_error(links, applied), serving=serving)

    def prediction_error(self, links: LinkStates, applied: Compensation) -> Residual:
        """Delay and Doppler errors (S,K) of the applied compensation, clock errors included (P3, eq. 8)."""
        carrier_hz = self.statistics.channel.carrier_hz
        error = residual(applied, links, carrier_hz=carrier_hz)
        if self.clocks.perfect:
            return error
        early_s, high = self.clocks.offsets(links.instant, links.norad_id, links.range_km.shape[1])
        return Residual(delay_s=error.delay_s + early_s, doppler_hz=error.doppler_hz + carrier_hz * high)
