"""Path-loss models: large-scale loss in dB over range and elevation."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

from twin.arrays import FloatArray
from twin.radio.channel.environment import FieldKeys, realised
from twin.radio.channel.path import LocatedPath, Path
from twin.registry import NoOptions, Registry

Options = TypeVar("Options", contravariant=True)


class PathLossModel(Protocol[Options]):
    """Expected loss in dB of each link, in the shape of the path's arrays, as known without a measurement.

    A model with a drawn part is decorated with its realisation (`realised_by`).
    """

    def __call__(self, path: Path, *, carrier_hz: float, options: Options) -> FloatArray:
        """Evaluate the model."""


class PathLosses(Registry[PathLossModel[Any]]):
    """Registry of path-loss models."""

    @overload
    def register(self, name: str, *, source: str) -> Callable[[PathLossModel[NoOptions]], PathLossModel[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[PathLossModel[Options]], PathLossModel[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under its name in a scenario; see `Registry.add`."""

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            return model

        return keep


path_losses = PathLosses("path loss")


def realised_loss_db(
    bound: Callable[..., FloatArray], path: LocatedPath, *, carrier_hz: float, field_keys: FieldKeys
) -> FloatArray:
    """Realised loss (S,K) in dB, by a selected model with its options bound.

    Without a drawn part the realised loss is the expected one.
    """
    realisation = realised(bound)
    if realisation is None:
        return bound(path, carrier_hz=carrier_hz)
    loss_db: FloatArray = realisation(path, carrier_hz=carrier_hz, field_keys=field_keys)
    return loss_db
