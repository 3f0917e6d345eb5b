"""Moments for policies, made from what a test wants to say; and a driver that feeds decisions back."""

from dataclasses import dataclass

import numpy as np

from twin.association import Assignment, AssociationView
from twin.association.offline import ContactPlan
from twin.radio.channel import PlanarArray, StatisticalCsi
from twin.registry import of_kind

SECOND_NS = 1_000_000_000


def statistics_of(gain, noise_w, *, departure=None, array=None, norad_id=None) -> StatisticalCsi:
    """Line-of-sight channels; towards nadir unless said otherwise."""
    gain = np.asarray(gain, float)
    return StatisticalCsi(
        norad_id=np.arange(101, 101 + len(gain)) if norad_id is None else norad_id,
        array=array or PlanarArray(rows=4, columns=4),
        departure=np.zeros((*gain.shape, 2)) if departure is None else np.asarray(departure, float),
        gain=gain,
        rician=np.full(gain.shape, np.inf),
        mean_phase=np.ones(gain.shape),
        receive_steering=np.ones((*gain.shape, 1), complex),
        isotropic_scattering=False,
        terminal_elements=np.ones(gain.shape[1], np.int64),
        noise_w=noise_w,
    )


def view_of(
    elevation_deg=None,
    range_km=None,
    *,
    visible=None,
    serving=None,
    master=None,
    region=None,
    latitude_deg=None,
    longitude_deg=None,
    gain=None,
    snr_db=None,
    remaining_s=None,
    ground_distance_km=None,
    departure=None,
    array=None,
    norad_id=None,
    instant_ns=0,
    every_ns=SECOND_NS,
    member_since_ns=None,
    capacity=None,
    memory=None,
) -> AssociationView:
    """A moment of V satellites and K terminals, from any one of the (V,K) arrays that rank satellites.

    Elevations, ranges, gains and distances rank alike unless given; noise and power are 1 W, so that 10 log10 of the
    gain is the signal-to-noise ratio.
    """
    if snr_db is not None:
        gain = 10.0 ** (np.asarray(snr_db, float) / 10.0)
    given = next(x for x in (elevation_deg, range_km, gain, remaining_s, ground_distance_km) if x is not None)
    pairs = np.asarray(given, float).shape
    if elevation_deg is None:
        elevation_deg = np.full(pairs, 45.0) if range_km is None else 90.0 - np.asarray(range_km, float) / 50.0
    elevation_deg = np.asarray(elevation_deg, float)
    range_km = 3000.0 - 20.0 * elevation_deg if range_km is None else np.asarray(range_km, float)
    gain = 1e6 / range_km**2 if gain is None else np.asarray(gain, float)
    ground_km = range_km - 500.0 if ground_distance_km is None else np.asarray(ground_distance_km, float)
    visible = np.ones(pairs, bool) if visible is None else np.asarray(visible, bool)
    stay_s = np.full(pairs, 300.0) if remaining_s is None else np.asarray(remaining_s, float)
    serving = np.zeros(pairs, bool) if serving is None else np.asarray(serving, bool)
    if master is None:
        first = [np.flatnonzero(column)[:1] for column in serving.T]
        master = [rows[0] if len(rows) else -1 for rows in first]
    norad_id = np.arange(101, 101 + pairs[0]) if norad_id is None else np.asarray(norad_id)
    noise_w = np.ones(pairs[1])
    return AssociationView(
        norad_id=norad_id,
        elevation_deg=elevation_deg,
        range_km=range_km,
        visible=visible,
        mean_gain=lambda: gain,
        serving=serving,
        master=np.array(master, dtype=np.int64),
        region=np.zeros(pairs[1], int) if region is None else np.asarray(region),
        terminal_latitude_deg=np.zeros(pairs[1]) if latitude_deg is None else np.asarray(latitude_deg, float),
        terminal_longitude_deg=np.zeros(pairs[1]) if longitude_deg is None else np.asarray(longitude_deg, float),
        instant_ns=instant_ns,
        every_ns=every_ns,
        member_since_ns=np.zeros(pairs, np.int64) if member_since_ns is None else member_since_ns,
        capacity=capacity,
        power_w=1.0,
        noise_w=noise_w,
        remaining_s=lambda: np.where(visible, stay_s, 0.0),
        ground_distance_km=lambda: ground_km,
        statistics=lambda: statistics_of(gain, noise_w, departure=departure, array=array, norad_id=norad_id),
        contacts=lambda score="elevation": standing_still(
            visible, elevation_deg, norad_id, 50 + instant_ns // every_ns
        ),
        memory={} if memory is None else memory,
    )


def standing_still(visible, elevation_deg, norad_id, decisions) -> list[ContactPlan]:
    """The same satellites at every decision up to now."""
    plans = []
    for terminal in range(visible.shape[1]):
        rows = np.flatnonzero(visible[:, terminal])
        step = np.repeat(np.arange(decisions), len(rows))
        plans.append(
            ContactPlan.of_pairs(
                step,
                np.tile(norad_id[rows], decisions),
                np.tile(elevation_deg[rows, terminal], decisions),
                instants=decisions,
            )
        )
    return plans


def decide(policy: str, view: AssociationView, **options: object) -> Assignment:
    """What a policy wants."""
    entry = of_kind("policy")[policy]
    return entry.model(view, options=entry.options(**options))


def members(made: Assignment) -> list[set[int]]:
    """Rows that serve each terminal."""
    return [set(np.flatnonzero(column).tolist()) for column in made.serving.T]


@dataclass
class Driver:
    """Takes decisions one after the other, as the loop does: each is executed at once unless it is ignored."""

    policy: str
    options: dict
    every_ns: int = SECOND_NS
    now_ns: int = 0
    clusters: list | None = None
    masters: list | None = None
    memory: dict | None = None

    def step(self, *, ignored=False, **sky) -> Assignment:
        """Decide on a sky, given as to `view_of`; time goes on by one decision."""
        bare = view_of(instant_ns=self.now_ns, every_ns=self.every_ns, memory=self.memory, **sky)
        ids, terminals = bare.norad_id.tolist(), bare.visible.shape[1]
        clusters, masters = self.clusters or [set()] * terminals, self.masters or [-1] * terminals
        serving = np.array([[id_ in cluster for cluster in clusters] for id_ in ids], bool).reshape(bare.visible.shape)
        serving &= bare.visible
        rows = [ids.index(m) if m in ids and serving[ids.index(m), k] else -1 for k, m in enumerate(masters)]
        view = view_of(
            instant_ns=self.now_ns, every_ns=self.every_ns, memory=self.memory, serving=serving, master=rows, **sky
        )
        made = decide(self.policy, view, **self.options)
        self.memory = {name: np.array(array) for name, array in made.memory.items()}
        if not ignored:
            self.clusters = [{ids[row] for row in np.flatnonzero(column)} for column in made.serving.T]
            self.masters = [ids[row] if row >= 0 else -1 for row in made.master]
        else:
            self.clusters = [{ids[row] for row in np.flatnonzero(column)} for column in serving.T]
            self.masters = [ids[row] if row >= 0 else -1 for row in rows]
        self.now_ns += self.every_ns
        return made

    def masters_over(self, skies) -> list:
        """The master of the first terminal after each of some skies."""
        told = []
        for sky in skies:
            self.step(**sky)
            told.append(self.masters[0])
        return told


def driver(policy: str, *, every_ns: int = SECOND_NS, **options: object) -> Driver:
    """A driver at its start."""
    return Driver(policy=policy, options=options, every_ns=every_ns)
