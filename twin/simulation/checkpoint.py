"""The loop's state as plain arrays, and back."""

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
from twin.simulation.state import LoggedAttempt, LoggedHandover, LoopState, PendingWeights, PlannedHandover

Arrays = Mapping[str, NDArray[Any]]


def saved(state: LoopState) -> dict[str, NDArray[Any]]:
    """All of a state, as arrays without pickled objects."""
    arrays: dict[str, NDArray[Any]] = {}
    solutions: list[Precoding] = []

    def number(precoding: Precoding | None) -> int | None:
        """Where a solution stands among those that are kept, each of them once."""
        if precoding is None:
            return None
        for place, kept in enumerate(solutions):
            if kept is precoding:
                return place
        for name, array in packed(precoding.weights).items():
            arrays[f"solution{len(solutions)}.{name}"] = array
        solutions.append(precoding)
        return len(solutions) - 1

    text = {
        "next_epoch": state.next_epoch,
        "clusters": [
            {
                "ready_ns": list(cluster.ready_ns.items()),
                "master": cluster.master,
                "since_ns": list(cluster.since_ns.items()),
                "beam": cluster.beam,
                "power_fraction": None if cluster.power_fraction is None else list(cluster.power_fraction.items()),
            }
            for cluster in state.clusters
        ],
        "planned": [asdict(planned) for planned in state.planned],
        "pending": [[pending.due_ns, number(pending.precoding)] for pending in state.pending],
        "in_force": number(state.in_force),
        "latest": number(state.latest),
        "solved_epoch": state.solved_epoch,
        "solved_current": state.solved_current,
        "known_ns": state.known_ns,
        "reports_ns": state.reports_ns,
        "changed_ns": list(state.changed_ns.items()),
        "arriving": state.arriving,
        "attempts": [asdict(logged) for logged in state.attempts],
        "events": [[logged.time_ns, asdict(logged.handover)] for logged in state.events],
        "solutions": [[int(solution.iterations), bool(solution.converged)] for solution in solutions],
    }
    arrays.update({f"memory.{name}": np.asarray(array) for name, array in state.memory.items()})
    arrays["state"] = np.array(json.dumps(text))
    return arrays


def restored(arrays: Arrays, array: PlanarArray) -> LoopState:
    """The state that arrays hold, for satellites with a given array."""
    text = json.loads(str(arrays["state"]))
    solutions = [
        Precoding(weights=unpacked(_under(arrays, f"solution{place}."), array), iterations=made[0], converged=made[1])
        for place, made in enumerate(text["solutions"])
    ]

    def solution(place: int | None) -> Precoding | None:
        return None if place is None else solutions[place]

    return LoopState(
        next_epoch=text["next_epoch"],
        clusters=[
            Cluster(
                ready_ns=dict(cluster["ready_ns"]),
                master=cluster["master"],
                since_ns=dict(cluster["since_ns"]),
                beam=cluster["beam"],
                power_fraction=None if cluster["power_fraction"] is None else dict(cluster["power_fraction"]),
            )
            for cluster in text["clusters"]
        ],
        memory=_under(arrays, "memory."),
        changed_ns=dict(text["changed_ns"]),
        arriving=text["arriving"],
        planned=[_planned(planned) for planned in text["planned"]],
        attempts=[
            LoggedAttempt(**{**logged, "before": tuple(logged["before"]), "wanted": tuple(logged["wanted"])})
            for logged in text["attempts"]
        ],
        pending=[PendingWeights(due_ns=due, precoding=solutions[place]) for due, place in text["pending"]],
        in_force=solution(text["in_force"]),
        latest=solution(text["latest"]),
        solved_epoch=text["solved_epoch"],
        solved_current=text["solved_current"],
        known_ns=text["known_ns"],
        reports_ns=text["reports_ns"],
        events=[LoggedHandover(time_ns=time, handover=Handover(**event)) for time, event in text["events"]],
    )


def _planned(text: Mapping[str, Any]) -> PlannedHandover:
    power_fraction = (
        None if text["power_fraction"] is None else tuple((one, part) for one, part in text["power_fraction"])
    )
    return PlannedHandover(**{**text, "satellites": tuple(text["satellites"]), "power_fraction": power_fraction})


def _under(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
