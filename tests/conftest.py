"""What several tests need."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import threadpoolctl
from hypothesis import settings

from tests.helpers.folders import SHARED

# the same examples every time, however slow the machine: a failure is then one of the change, not of the day
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """As in a run: bits depend on the number of threads, and tests run side by side."""
    with threadpoolctl.threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference data that stand beside the project."""
    if not SHARED.is_dir():
        pytest.skip("the reference data are not beside this checkout")
    return SHARED
