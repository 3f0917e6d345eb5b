"""The state of a run as plain arrays, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.association import Cluster, Handover
from twin.precoding import Precoding
from twin.precoding.packing import packed, unpacked
from twin.radio.channel import PlanarArray
from twin.results.record import LoggedAttempt, LoggedHandover
from twin.simulation.handover.state import HandoverState, PlannedHandover
from twin.simulation.state import LoopState, PendingWeights, RunState
from twin.vocabulary import EventKind

Arrays = Mapping[str, NDArray[Any]]


def saved(state: RunState) -> dict[str, NDArray[Any]]:
    """All of a state, as arrays without pickled objects."""
    loop, handover = state.loop, state.loop.handover
    arrays: dict[str, NDArray[Any]] = {}
    for number, precoding in state.solutions.items():
        for name, array in packed(precoding.weights).items():
            arrays[f"solution{number}.{name}"] = array
    text = {
        "next_epoch": loop.next_epoch,
        "next_precoding": loop.next_precoding,
        "clusters": [
            {
                "ready_ns": list(cluster.ready_ns.items()),
                "master": cluster.master,
                "since_ns": list(cluster.since_ns.items()),
                "beam": cluster.beam,
                "power_fraction": None if cluster.power_fraction is None else list(cluster.power_fraction.items()),
            }
            for cluster in handover.clusters
        ],
        "planned": [asdict(planned) for planned in handover.planned],
        "changed_ns": list(handover.changed_ns.items()),
        "arriving": handover.arriving,
        "weights_outdated": handover.weights_outdated,
        "attempts": [asdict(logged) for logged in handover.attempts],
        "events": [[logged.time_ns, asdict(logged.handover)] for logged in handover.events],
        "pending": [[pending.due_ns, pending.precoding] for pending in loop.pending],
        "in_force": loop.in_force,
        "latest": loop.latest,
        "solved_epoch": loop.solved_epoch,
        "known_ns": loop.known_ns,
        "reports_ns": loop.reports_ns,
        "solutions": [
            [number, int(precoding.iterations), bool(precoding.converged)]
            for number, precoding in state.solutions.items()
        ],
    }
    arrays.update({f"memory.{name}": np.asarray(array) for name, array in handover.memory.items()})
    arrays["state"] = np.array(json.dumps(text))
    return arrays


def restored(arrays: Arrays, array: PlanarArray) -> RunState:
    """The state that arrays hold, for satellites with a given array."""
    text = json.loads(str(arrays["state"]))
    solutions = {
        number: Precoding(
            weights=unpacked(_under(arrays, f"solution{number}."), array), iterations=iterations, converged=converged
        )
        for number, iterations, converged in text["solutions"]
    }
    loop = LoopState(
        next_epoch=text["next_epoch"],
        handover=_handover(text, _under(arrays, "memory.")),
        next_precoding=text["next_precoding"],
        pending=[PendingWeights(due_ns=due_ns, precoding=number) for due_ns, number in text["pending"]],
        in_force=text["in_force"],
        latest=text["latest"],
        solved_epoch=text["solved_epoch"],
        known_ns=text["known_ns"],
        reports_ns=text["reports_ns"],
    )
    return RunState(loop=loop, solutions=solutions)


def _handover(text: Mapping[str, Any], memory: dict[str, NDArray[Any]]) -> HandoverState:
    return HandoverState(
        clusters=[_cluster(cluster) for cluster in text["clusters"]],
        memory=memory,
        changed_ns=dict(text["changed_ns"]),
        arriving=text["arriving"],
        planned=[_planned(planned) for planned in text["planned"]],
        weights_outdated=text["weights_outdated"],
        attempts=[
            LoggedAttempt(**{**logged, "before": tuple(logged["before"]), "wanted": tuple(logged["wanted"])})
            for logged in text["attempts"]
        ],
        events=[LoggedHandover(time_ns=time_ns, handover=_event(event)) for time_ns, event in text["events"]],
    )


def _event(text: Mapping[str, Any]) -> Handover:
    return Handover(**{**text, "kind": EventKind(text["kind"])})


def _cluster(text: Mapping[str, Any]) -> Cluster:
    fractions = text["power_fraction"]
    return Cluster(
        ready_ns=dict(text["ready_ns"]),
        master=text["master"],
        since_ns=dict(text["since_ns"]),
        beam=text["beam"],
        power_fraction=None if fractions is None else dict(fractions),
    )


def _planned(text: Mapping[str, Any]) -> PlannedHandover:
    fractions = text["power_fraction"]
    pairs = None if fractions is None else tuple((one, fraction) for one, fraction in fractions)
    return PlannedHandover(**{**text, "satellites": tuple(text["satellites"]), "power_fraction": pairs})


def _under(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
