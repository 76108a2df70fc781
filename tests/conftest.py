"""Every test has its own state: no token, journal or running server of the person who runs the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, however slow the machine is.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [
            name for name in os.environ if name.startswith("FIRSTCAUSE_") and name != "FIRSTCAUSE_BROWSER"
        ]:
            patch.delenv(name)
        patch.setenv("FIRSTCAUSE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
