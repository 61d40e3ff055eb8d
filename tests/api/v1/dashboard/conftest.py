"""Ten past the hour, whenever these tests run: none of them meets the end of an entry by the clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

SetClock = Callable[[FastAPI], None]


def to_ten_past(app: FastAPI) -> None:
    """By less than an hour: nobody's session is idle for so long."""
    versions = app.state.runtime.versions
    now = datetime.fromtimestamp(versions.now(), UTC)
    versions.clock.shift((now.replace(minute=10, second=0, microsecond=0) - now) / timedelta(seconds=1))


@pytest.fixture
def ten_past() -> SetClock:
    """For an application that the test starts itself."""
    return to_ten_past


@pytest.fixture(autouse=True)
def _ten_past(app: FastAPI) -> None:
    to_ten_past(app)
