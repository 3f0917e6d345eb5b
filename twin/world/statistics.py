"""From the geometry of links to aligned statistical CSI, by the models that a scenario selects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.errors import InputError, plugin_errors, plugin_place
from twin.geometry.links import LinkStates
from twin.geometry.snapshot import Snapshot
from twin.radio.channel import ChannelModel, StatisticalCsi
from twin.radio.synchronisation import Alignment, LinkView, Residual, aligned
from twin.radio.waveform import Waveform
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedCsi:
    """Statistical CSI of some satellites, with the phase alignment that it contains."""

    csi: StatisticalCsi
    """φ̄ and disturbance included."""
    alignment: Alignment
    """What the phase-error model gives for each link."""


class LinkStatistics:
    """Derives the statistical CSI of links.

    Parameters
    ----------
    channel
        Propagation models, arrays and noise.
    phase_error
        The selected phase-error model, its options bound.
    waveform
        Carrier and OFDM numbers.
    power_w
        Budget of each satellite on one subcarrier, which pilots use whole.
    """

    def __init__(
        self,
        *,
        channel: ChannelModel,
        phase_error: Callable[[LinkView], FloatArray | Alignment],
        waveform: Waveform,
        power_w: float,
    ) -> None:
        self.channel = channel
        self.phase_error = phase_error
        self.waveform = waveform
        self.power_w = power_w
        self._snapshot: Snapshot | None = None
        self._measured: dict[bytes, AlignedCsi] = {}
        self._check_phase_error()

    def of(
        self,
        links: LinkStates,
        *,
        expected: bool = False,
        prediction_error: Residual | None = None,
        serving: BoolArray | None = None,
    ) -> AlignedCsi:
        """Statistical CSI of links at one instant.

        Parameters
        ----------
        links
            Geometry, true or believed.
        expected
            Take expectations over shadowing and line of sight in place of their realisations: CSI without measurement.
        prediction_error
            Delay and Doppler errors of compensation by prediction; None means that they are unknown or zero.
        serving
            Links to which the terminals synchronise; None means all.
        """
        loss, fading = self.channel.path_loss, self.channel.fading
        with plugin_errors(loss, "channel.path_loss: the model"), plugin_errors(fading, "channel.fading: the model"):
            plain = self.channel.csi(links, np.ones(links.range_km.shape), expected=expected)
        pilot_snr = self.power_w * plain.gain / self.channel.noise_w
        view = LinkView.of(
            links, pilot_snr=pilot_snr, waveform=self.waveform, prediction_error=prediction_error, serving=serving
        )
        alignment = self._alignment(view)
        if alignment.phase_rad is not None:
            turned = plain.receive_steering * np.exp(1j * alignment.phase_rad)[..., None]
            plain = replace(plain, receive_steering=turned)
        fraction = alignment.disturbance_fraction
        csi = replace(plain, mean_phase=alignment.mean_phase, disturbance_fraction=fraction if fraction.any() else None)
        return AlignedCsi(csi=csi, alignment=alignment)

    def _alignment(self, view: LinkView) -> Alignment:
        where = "precompensation.name: the phase-error model"
        with plugin_errors(self.phase_error, where):
            alignment = aligned(self.phase_error(view))
        variance = alignment.variance_rad2
        if np.shape(variance) != view.range_km.shape or np.isnan(variance).any():
            where += plugin_place(self.phase_error)
            raise InputError(f"{where} must give variances that are numbers, in the shape {view.range_km.shape}")
        return alignment

    def measured(self, snapshot: Snapshot, norad_id: IntArray) -> AlignedCsi:
        """Statistical CSI of some satellites at the start of an epoch, kept for as long as that epoch is asked for.

        Truth and belief share it where the network errs in nothing: weights and channels then have the same directions,
        by identity.
        """
        if self._snapshot is not snapshot:
            self._snapshot, self._measured = snapshot, {}
        key = norad_id.tobytes()
        if key not in self._measured:
            self._measured[key] = self.of(snapshot.links(norad_id))
        return self._measured[key]

    def follows_prediction(self) -> bool:
        """Whether the phase-error model uses the errors of compensation by prediction."""
        one = np.ones((2, 1))
        view = LinkView(
            range_km=1e3 * one,
            elevation_deg=45.0 * one,
            range_rate_km_s=one,
            range_acceleration_km_s2=0.05 * one,
            pilot_snr=1e3 * one,
            waveform=self.waveform,
        )
        turn = np.array([[1.0], [-1.0]])
        errors = [Residual(delay_s=size * 1e-9 * turn, doppler_hz=size * 10.0 * turn) for size in (1.0, 3.0)]
        small, large = (self._alignment(replace(view, prediction_error=error)) for error in errors)
        return not all(
            np.array_equal(getattr(small, name), getattr(large, name))
            for name in ("variance_rad2", "disturbance_fraction")
        )

    def _check_phase_error(self) -> None:
        """Call the phase-error model with no link at all, so that it may refuse the waveform.

        Raises
        ------
        InputError
            If its options do not fit the waveform.
        """
        nothing = np.empty((0, len(self.channel.noise_w)))
        self.phase_error(
            LinkView(
                range_km=nothing,
                elevation_deg=nothing,
                range_rate_km_s=nothing,
                range_acceleration_km_s2=nothing,
                pilot_snr=nothing,
                waveform=self.waveform,
            )
        )
