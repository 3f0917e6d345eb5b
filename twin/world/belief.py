"""The world as the network believes it to be: all that decisions, precoders and compensation are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.geometry.prediction import VisibilityPrediction
from twin.geometry.snapshot import Snapshot
from twin.geometry.windows import VisibilityWindows
from twin.radio.channel import StatisticalCsi
from twin.radio.synchronisation import Compensation, predict
from twin.records import documented
from twin.world.statistics import LinkStatistics


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Believed geometry and statistics. It holds no draw of fading or phase error."""

    windows: VisibilityWindows
    """Believed visibility; the same object as the truth's where orbits, positions and attitudes are known exactly."""
    ahead: Callable[[], VisibilityWindows]
    """Makes other windows of the same belief, for predictions that must not change `windows`."""
    prediction: VisibilityPrediction
    """How long pairs stay visible."""
    statistics: LinkStatistics
    """Channel statistics at believed geometry."""
    prediction_age_ns: int
    """Age of the geometry from which compensation is predicted."""
    exact: bool
    """Whether `windows` are those of the truth."""

    def snapshot(self, epoch: int) -> Snapshot:
        """Believed geometry at the start of an epoch."""
        return self.windows.at(epoch)

    def csi(self, snapshot: Snapshot, norad_id: IntArray) -> StatisticalCsi:
        """Measured statistical CSI of some satellites at the start of an epoch."""
        return self.statistics.measured(snapshot, norad_id).csi

    def csi_at(self, time_ns: int, norad_id: IntArray) -> StatisticalCsi:
        """Measured statistical CSI of some satellites at any time of the run, or before it."""
        return self.statistics.of(self.windows.links_at(time_ns, norad_id)).csi

    def expected_csi(self, snapshot: Snapshot, norad_id: IntArray) -> StatisticalCsi:
        """Statistical CSI without a measurement, all that a policy may know: expectations over the surroundings."""
        if not self.statistics.channel.draws_surroundings:
            return self.csi(snapshot, norad_id)
        return self.statistics.of(snapshot.links(norad_id), expected=True).csi

    def mean_gain(self, snapshot: Snapshot) -> FloatArray:
        """(V,K) γ expected of every satellite in view."""
        return self.statistics.channel.power_gain(snapshot)

    def remaining_s(self, snapshot: Snapshot) -> FloatArray:
        """(V,K) predicted time for which each pair stays visible."""
        return self.prediction.remaining_s(snapshot)

    def compensation(self, epoch: int, norad_id: IntArray) -> Compensation:
        """Delay and Doppler that some satellites compensate at the start of an epoch.

        They are predicted from believed geometry of age `prediction_age_ns`, to second order.
        """
        if self.exact and not self.prediction_age_ns:
            known = self.windows.at(epoch).links(norad_id)
        else:
            known = self.windows.links_at(self.windows.timeline.begin_ns(epoch) - self.prediction_age_ns, norad_id)
        return predict(known, age_s=self.prediction_age_ns / 1e9, carrier_hz=self.statistics.channel.carrier_hz)

    def predictable(self, epoch: int, norad_id: IntArray) -> BoolArray:
        """(S,) satellites with a valid prediction at the start of an epoch."""
        if self.exact:
            return np.ones(len(norad_id), dtype=np.bool_)
        return self.windows.links_at(self.windows.timeline.begin_ns(epoch), norad_id).usable
