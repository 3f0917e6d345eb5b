"""Small-scale fading models: the Rician factor of each link."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

from twin.arrays import FloatArray
from twin.radio.channel.environment import FieldKeys, realised
from twin.radio.channel.path import LocatedPath, Path
from twin.registry import NoOptions, Registry

Options = TypeVar("Options", contravariant=True)


class FadingModel(Protocol[Options]):
    """Expected Rician factor of each link, linear, in the shape of the path's arrays; infinite without fading.

    A model with a drawn part is decorated with its realisation (`realised_by`).
    """

    def __call__(self, path: Path, *, options: Options) -> FloatArray:
        """Evaluate the model."""


class Fadings(Registry[FadingModel[Any]]):
    """Registry of fading models."""

    @overload
    def register(self, name: str, *, source: str) -> Callable[[FadingModel[NoOptions]], FadingModel[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[FadingModel[Options]], FadingModel[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under its name in a scenario; see `Registry.add`."""

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            return model

        return keep


fadings = Fadings("fading")


def realised_rician(bound: Callable[..., FloatArray], path: LocatedPath, *, field_keys: FieldKeys) -> FloatArray:
    """Realised Rician factor (S,K), linear, by a selected model with its options bound.

    Without a drawn part the realised factor is the expected one.
    """
    realisation = realised(bound)
    if realisation is None:
        return bound(path)
    rician: FloatArray = realisation(path, field_keys=field_keys)
    return rician
