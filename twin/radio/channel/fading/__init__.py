"""Small-scale fading models: the Rician factor of each link."""

from collections.abc import Callable
from typing import Any, Protocol

from twin.arrays import FloatArray
from twin.radio.channel.environment import World, realised
from twin.radio.channel.path_loss import LocatedPath, Path
from twin.registry import Registry


class FadingModel(Protocol):
    """Rician factor of each link, linear, in the shape of the path's arrays; infinite without fading.

    A model with a drawn part has a truth beside it (`realised_by`).
    """

    def __call__(self, path: Path, *, options: Any) -> FloatArray:
        """Evaluate the model."""


fadings: Registry[FadingModel] = Registry("fading")


def realised_rician(bound: Callable[..., FloatArray], path: LocatedPath, *, world: World) -> FloatArray:
    """Rician factor (S,K) of each link as it is, by a selected model with its options filled in.

    A model without a drawn part is true as it stands.
    """
    truth = realised(bound)
    if truth is None:
        return bound(path)
    rician: FloatArray = truth(path, world=world)
    return rician
