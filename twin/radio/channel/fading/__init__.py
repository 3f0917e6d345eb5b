"""Small-scale fading models: the Rician factor of each link."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

from twin.arrays import FloatArray
from twin.radio.channel.environment import FieldKeys, realised
from twin.radio.channel.path import LocatedPath, Path
from twin.registry import NoOptions, Registry

Options = TypeVar("Options", contravariant=True)


class FadingModel(Protocol[Options]):
    """Rician factor of each link, linear, in the shape of the path's arrays; infinite without fading.

    A model with a drawn part has a truth beside it (`realised_by`).
    """

    def __call__(self, path: Path, *, options: Options) -> FloatArray:
        """Evaluate the model."""


class Fadings(Registry[FadingModel[Any]]):
    """The fading models, by name."""

    @overload
    def register(self, name: str, *, source: str) -> Callable[[FadingModel[NoOptions]], FadingModel[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[FadingModel[Options]], FadingModel[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under the name that a scenario writes; see `Registry.add`."""

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            return model

        return keep


fadings = Fadings("fading")


def realised_rician(bound: Callable[..., FloatArray], path: LocatedPath, *, field_keys: FieldKeys) -> FloatArray:
    """Rician factor (S,K) of each link as it is, by a selected model with its options filled in.

    A model without a drawn part is true as it stands.
    """
    truth = realised(bound)
    if truth is None:
        return bound(path)
    rician: FloatArray = truth(path, field_keys=field_keys)
    return rician
