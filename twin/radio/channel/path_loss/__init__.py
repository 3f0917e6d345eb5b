"""Large-scale loss models: range and elevation in, loss in dB out."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

from twin.arrays import FloatArray
from twin.radio.channel.environment import FieldKeys, realised
from twin.radio.channel.path import LocatedPath, Path
from twin.registry import NoOptions, Registry

Options = TypeVar("Options", contravariant=True)


class PathLossModel(Protocol[Options]):
    """Loss in dB of each link, in the shape of the path's arrays, as far as it can be known without a measurement.

    A model with a drawn part has a truth beside it (`realised_by`).
    """

    def __call__(self, path: Path, *, carrier_hz: float, options: Options) -> FloatArray:
        """Evaluate the model."""


class PathLosses(Registry[PathLossModel[Any]]):
    """The path loss models, by name."""

    @overload
    def register(self, name: str, *, source: str) -> Callable[[PathLossModel[NoOptions]], PathLossModel[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[PathLossModel[Options]], PathLossModel[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under the name that a scenario writes; see `Registry.add`."""

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            return model

        return keep


path_losses = PathLosses("path loss")


def realised_loss_db(
    bound: Callable[..., FloatArray], path: LocatedPath, *, carrier_hz: float, field_keys: FieldKeys
) -> FloatArray:
    """Loss (S,K) of each link as it is, by a selected model with its options filled in.

    A model without a drawn part is true as it stands.
    """
    truth = realised(bound)
    if truth is None:
        return bound(path, carrier_hz=carrier_hz)
    loss_db: FloatArray = truth(path, carrier_hz=carrier_hz, field_keys=field_keys)
    return loss_db
