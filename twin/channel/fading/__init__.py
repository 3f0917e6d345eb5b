"""Small-scale fading models: the Rician factor of each link."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twin.channel.path_loss import Path
from twin.registry import Registry


class FadingModel(Protocol):
    """Rician factor of each link, linear, in the shape of the path's arrays; infinite without fading."""

    def __call__(self, path: Path, *, options: Any) -> NDArray[np.float64]:
        """Evaluate the model."""


fadings: Registry[FadingModel] = Registry("fading")
