import pytest
from fastapi import FastAPI

from tests.api.server.prepared.requests import plain_heads
from tests.api.server.prepared.side_by_side import SideBySide, failures_into
from tests.api.server.prepared.situations import Here
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed


@pytest.fixture
async def here(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> Here:
    """Both connections, with everything prepared that `plain_heads` ask for."""
    names = (seed.sant.admin, seed.sant.viewer, seed.maga.admin, seed.superuser)
    tokens = {name: str((await sign_in(name)).headers["authorization"]).removeprefix("Bearer ") for name in names}
    side = SideBySide(app, tokens)
    failures_into(side, monkeypatch)
    made = Here(side, seed, connection)
    await side.hold()
    await side.prepare(plain_heads(made))
    return made
