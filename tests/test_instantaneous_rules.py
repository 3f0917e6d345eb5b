"""Rules of one's own by which weights follow the channels: a checkpoint holds them, or they are refused."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from tests.helpers.scene_problem import named_scenes, problem_of
from twin.precoding import InstantaneousRule, rule
from twin.precoding.matched import smrt
from twin.precoding.packing import check_packable, packed, unpacked
from twin.registry import NoOptions


class Unchanged(InstantaneousRule):
    """The weights of the statistics at every draw."""

    def realised(self, weights, truth, draws, transmitting, *, seed, epoch):
        return tuple(weights for _ in draws.receive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(Unchanged):
    """Fields of every kind."""

    label: str
    exact: bool
    count: int
    scale: float
    turn: complex
    rows: Any
    response: Any


@dataclass(frozen=True)
class OneField(Unchanged):
    value: Any


@dataclass
class Changing(Unchanged):
    value: float = 1.0


@dataclass(frozen=True)
class Unset(Unchanged):
    value: float = field(default=1.0, init=False)


class Undecorated(OneField):
    pass


class Stranger:
    """A rule in all but its base class."""

    realised = Unchanged.realised


def weights_of(followed: Any):
    problem = problem_of(named_scenes()["plain_0"])
    return replace(smrt(problem, options=NoOptions()).weights, rule=followed)


def own(**changes: Any) -> Own:
    given = {
        "label": "mine, ψ",
        "exact": True,
        "count": 3,
        "scale": np.float64(0.1),
        "turn": 1j,
        "rows": np.array([3, 1]),
        "response": np.array([[1.0 + 2.0j]]),
    }
    return Own(**(given | changes))


def test_a_rule_of_ones_own_comes_back_as_it_was():
    weights = weights_of(own())
    check_packable(weights)
    arrays = packed(weights)
    assert all(array.dtype.kind in "biufcU" for array in arrays.values())
    back = unpacked(arrays, weights.array).rule
    assert type(back) is Own
    for name in ("label", "exact", "count", "scale", "turn"):
        assert getattr(back, name) == getattr(weights.rule, name)
        assert isinstance(getattr(back, name), type(getattr(weights.rule, name)) if name != "scale" else float)
    for name in ("rows", "response"):
        np.testing.assert_array_equal(getattr(back, name), getattr(weights.rule, name))
        assert getattr(back, name).dtype == getattr(weights.rule, name).dtype


@pytest.mark.parametrize("value", [False, 2, -0.5, 1 - 2j, "text", "", np.int64(7), np.bool_(True), np.arange(0)])
def test_every_plain_value_comes_back(value):
    back = rule.unpacked(OneField(value).packed())
    assert isinstance(back, OneField)
    np.testing.assert_array_equal(back.value, value)


@pytest.mark.parametrize(
    ("followed", "words"),
    [
        (OneField(None), r"OneField\.value: found NoneType, must be a number"),
        (OneField([1, 2]), r"OneField\.value: found list"),
        (OneField({"a": 1}), r"OneField\.value: found dict"),
        (OneField(b"bytes"), r"OneField\.value: found bytes"),
        (OneField(2**70), r"OneField\.value: found int, must be a number, boolean or text of a numpy type"),
        (OneField(np.datetime64(1, "s")), r"OneField\.value: found datetime64"),
        (OneField(np.array([None])), r"OneField\.value: found an array of 1 dimensions of type object"),
        (OneField(np.array(["a"])), r"OneField\.value: found an array of 1 dimensions of type <U1"),
        (OneField(np.array(1.0)), r"OneField\.value: found an array of 0 dimensions"),
        (OneField(np.ma.masked_array([1.0])), r"OneField\.value: found MaskedArray"),
        (Unchanged(), "Unchanged must be a frozen dataclass"),
        (Changing(), "Changing must be a frozen dataclass"),
        (Undecorated(1.0), "Undecorated must be a frozen dataclass"),
        (Unset(), r"Unset\.value must be an argument of the class"),
        (Stranger(), r"Stranger must derive from twin\.precoding\.rule\.InstantaneousRule"),
    ],
)
def test_what_no_checkpoint_can_hold_is_refused(followed, words):
    with pytest.raises(TypeError, match=words):
        packed(weights_of(followed))
    with pytest.raises(ValueError, match=f"weights that no checkpoint can hold: {words}"):
        check_packable(weights_of(followed))


def test_weights_of_another_class_are_refused():
    with pytest.raises(ValueError, match="object must be SpannedWeights or AntennaWeights"):
        check_packable(object())


def test_a_rule_that_does_not_accept_its_own_fields_is_refused():
    @dataclass(frozen=True, init=False)
    class Picky(Unchanged):
        value: float

        def __init__(self) -> None:
            object.__setattr__(self, "value", 1.0)

    with pytest.raises(ValueError, match="Picky cannot be made from its fields"):
        check_packable(weights_of(Picky()))


def test_two_classes_of_one_name_are_an_error_and_one_class_twice_is_none():
    def again(module: str) -> type:
        return type(InstantaneousRule)("Twice", (Unchanged,), {"__module__": module})

    again("one")
    again("one")
    with pytest.raises(TypeError, match="Twice of another: one has an instantaneous-CSI rule of this name already"):
        again("another")


def test_an_unknown_class_is_named():
    with pytest.raises(ValueError, match="Nowhere: no instantaneous-CSI rule of this name is defined"):
        rule.unpacked({"class": np.array("Nowhere")})


def test_other_fields_than_those_of_the_class_are_refused():
    arrays = OneField(1.0).packed() | {"other": np.array(1)}
    with pytest.raises(ValueError, match="OneField cannot be made from its fields"):
        rule.unpacked(arrays)
