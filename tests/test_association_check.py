"""What a policy of a user's own may return, and how everything else is refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.views import view_of
from twin.association import Assignment
from twin.association.check import checked
from twin.errors import InputError

VIEW = view_of([[40.0, 50.0], [60.0, 20.0], [30.0, 70.0]], visible=[[1, 1], [1, 0], [0, 1]], capacity=1)
SERVING = np.array([[False, False], [True, False], [False, True]])
VALID = Assignment(serving=SERVING, master=np.array([1, 2]))


def test_a_valid_assignment_passes_unchanged():
    whole = replace(
        VALID,
        power_fraction=SERVING.astype(float),
        beam=np.array([3, 0]),
        score=VIEW.elevation_deg,
        reason=np.array(["higher", ""]),
        memory={"since_ns": np.zeros(2, np.int64)},
    )
    for wanted in (VALID, whole):
        assert checked(wanted, VIEW, "policy") is wanted


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        (None, "None"),
        (SERVING, "an object of type ndarray"),
        ((SERVING, np.array([1, 2])), "an object of type tuple"),
        ({"serving": SERVING}, "an object of type dict"),
        (Assignment, "an object of type type"),
    ],
)
def test_anything_but_an_assignment_is_named(returned, found):
    with pytest.raises(InputError) as caught:
        checked(returned, VIEW, "the policy")
    assert str(caught.value) == f"the policy: must return a twin.association.Assignment, found {found}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"serving": None}, r"serving must be truth values of shape \(3, 2\).*found object \(\)"),
        ({"serving": SERVING.astype(float)}, r"serving must be truth values .* found float64 \(3, 2\)"),
        ({"serving": SERVING[:2]}, r"found bool \(2, 2\)"),
        ({"serving": [[True], [True, False]]}, "serving must be an array, found an object of type list"),
        ({"serving": np.roll(SERVING, 1, axis=1)}, "to which it is not visible or not available"),
        ({"serving": np.array([[True, True], [False, False], [False, False]])}, "master of a cluster must be one of"),
        ({"master": None}, r"master rows of shape \(2,\), found bool \(3, 2\) and object \(\)"),
        ({"master": np.array([1.0, 2.0])}, r"and float64 \(2,\)"),
        ({"master": np.array([0, 2])}, "the master of a cluster must be one of its members"),
        ({"master": np.array([-1, 2])}, "master must be the row of a serving satellite"),
        ({"master": np.array([1, 3])}, "master must be the row of a serving satellite"),
        ({"power_fraction": np.full((3, 2), "all")}, "power_fraction must be numbers of shape"),
        ({"power_fraction": SERVING * 1.5}, "power fractions of satellite 102 sum to 1.5, at most 1 is allowed"),
        ({"score": np.full((3, 2), "good")}, r"score must be numbers of shape \(3, 2\), found <U4"),
        ({"beam": np.array(["a", "b"])}, "beam must be 2 numbers of beams"),
        ({"reason": np.array([1, 2])}, r"reason must be 2 texts, found int64 \(2,\)"),
        ({"reason": "higher"}, r"reason must be 2 texts, found <U6 \(\)"),
        ({"memory": None}, "memory must be a mapping of names to arrays, found None"),
        ({"memory": [np.zeros(2)]}, "memory must be a mapping of names to arrays, found an object of type list"),
        ({"memory": {"last": object()}}, "memory must be plain arrays"),
    ],
)
def test_a_wrong_field_is_named(change, message):
    with pytest.raises(InputError, match=f"^the policy: .*{message}"):
        checked(replace(VALID, **change), VIEW, "the policy")


def test_more_terminals_than_the_capacity_are_refused():
    wanted = Assignment(serving=np.array([[True, True], [False, False], [False, False]]), master=np.array([0, 0]))
    with pytest.raises(InputError, match=r"satellite 101 is to serve 2 terminals, association\.capacity allows 1"):
        checked(wanted, VIEW, "the policy")
