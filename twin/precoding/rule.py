"""What all weights offer, and the rules by which weights follow the instantaneous channels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, ComplexArray, FloatArray, IntArray, NumberArray, Reach
from twin.radio.channel import ChannelDraws, StatisticalCsi
from twin.registry import of_kind

CLASS: Final = "class"
"""Key of the class name; no field can have this name."""
NUMERIC: Final = "biufc"
"""Kinds of numpy types that a rule's arrays may have: booleans, integers, real and complex numbers."""

_rules: dict[str, type[InstantaneousRule]] = {}


class Weights(Protocol):
    """Weights of S satellites for K terminals, with L streams each."""

    @property
    def norad_id(self) -> IntArray:
        """(S,) catalogue numbers of the satellites."""

    @property
    def reach(self) -> Reach:
        """The terminals, J at most, that each satellite may transmit to."""

    @property
    def slot(self) -> IntArray | None:
        """(K,) time slot in which each terminal is served; None means that all are served at once."""

    @property
    def rule(self) -> InstantaneousRule | None:
        """How the weights follow the instantaneous channels; None means that they do not."""

    def effective_gain(self, truth: StatisticalCsi) -> NumberArray:
        """v_iᵀ W_j (S,B,J,L): response of a unit channel, to each terminal in the truth's reach, to each stream."""

    def power_w(self) -> FloatArray:
        """(S,K) ‖W_sk‖²: power in W that each satellite spends on each terminal."""

    def antenna(self) -> ComplexArray:
        """(S,K,N,L) the weights of all antennas."""

    def of(self, rows: IntArray) -> Weights:
        """The weights of some satellites, by row."""

    def on(self, norad_id: IntArray) -> Weights:
        """The weights of other satellites, by catalogue number; zero for satellites without weights."""


class InstantaneousRule(ABC):
    """How weights follow the instantaneous channels, which are not known when the precoder runs.

    A rule is a frozen dataclass that derives from this class. Its fields are numbers, booleans, text or numeric arrays
    of at least one dimension, so that a checkpoint can hold it. Classes register themselves by their name.
    """

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Register the class.

        Raises
        ------
        TypeError
            If another class of the same name is registered.
        """
        super().__init_subclass__(**options)
        known = _rules.setdefault(cls.__name__, cls)
        # a dataclass with slots is created twice
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(
                f"{cls.__name__} of {cls.__module__}: {known.__module__} has an instantaneous-CSI rule of this name"
                " already, must have another name"
            )
        _rules[cls.__name__] = cls

    @abstractmethod
    def realised(
        self,
        weights: Weights,
        truth: StatisticalCsi,
        draws: ChannelDraws,
        transmitting: BoolArray,
        *,
        seed: int,
        epoch: int,
    ) -> tuple[Weights, ...]:
        """The weights for each of the first draws.

        Parameters
        ----------
        weights
            Weights that the precoder computed from statistics.
        truth, draws
            The true channels, of the same satellites in the same order.
        transmitting
            (S,K) pairs that transmit.
        seed, epoch
            Key of all further draws.
        """

    def packed(self) -> dict[str, NDArray[Any]]:
        """The class name and all fields as plain arrays.

        Raises
        ------
        TypeError
            If the class is no frozen dataclass, or a field cannot be packed.
        """
        rule = type(self)
        if not is_dataclass(rule) or "__dataclass_fields__" not in vars(rule) or not rule.__dataclass_params__.frozen:
            raise TypeError(f"{rule.__name__} must be a frozen dataclass, so that a checkpoint can hold it")
        unset = [field.name for field in fields(rule) if not field.init]
        if unset:
            raise TypeError(f"{rule.__name__}.{unset[0]} must be an argument of the class, found init=False")
        arrays = {field.name: self._plain(field.name) for field in fields(rule)}
        return arrays | {CLASS: np.array(rule.__name__)}

    def _plain(self, name: str) -> NDArray[Any]:
        """A field as an array."""
        value = getattr(self, name)
        where = f"{type(self).__name__}.{name}"
        if type(value) is np.ndarray:
            if value.ndim and value.dtype.kind in NUMERIC:
                return value
            raise TypeError(
                f"{where}: found an array of {value.ndim} dimensions of type {value.dtype}, must hold numbers or"
                " booleans in at least one dimension"
            )
        plain = np.asarray(value) if isinstance(value, bool | int | float | complex | str | np.generic) else None
        if plain is None or plain.dtype.kind not in NUMERIC + "U":
            raise TypeError(
                f"{where}: found {type(value).__name__}, must be a number, boolean or text of a numpy type,"
                " or a numeric array"
            )
        return plain


def unpacked(arrays: Mapping[str, NDArray[Any]]) -> InstantaneousRule:
    """The rule that plain arrays hold.

    Raises
    ------
    ValueError
        If no class of this name is registered, or the class does not accept the fields.
    """
    name = str(arrays[CLASS])
    if name not in _rules:
        of_kind("precoder").names()  # imports the modules of all precoders, and their rules
    if name not in _rules:
        raise ValueError(f"{name}: no instantaneous-CSI rule of this name is defined")
    held: dict[str, Any] = {field: array if array.ndim else array.item() for field, array in arrays.items()}
    del held[CLASS]
    try:
        return _rules[name](**held)
    except TypeError as error:
        raise ValueError(f"{name} cannot be made from its fields: {error}") from None
