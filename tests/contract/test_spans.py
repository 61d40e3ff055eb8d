"""Every pair of parameters that says from when until when, from the contract itself."""

from itertools import pairwise
from typing import Any

import pytest
from fastapi import FastAPI

from core.settings import Settings
from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support.answers import codes
from tests.support.contract.operations import Operation, operations
from tests.support.contract.rules import RULES


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """For whoever exports again and again."""
    return settings.model_copy(update={"export_limit": "1000/hour"})


def pairs(app: FastAPI) -> list[tuple[Operation, str, str]]:
    contract: dict[str, Any] = app.openapi()["paths"]
    found = []
    for operation in operations(app):
        asked = contract[operation.path][operation.method.lower()].get("parameters", [])
        names = {one["name"] for one in asked if one["in"] == "query"}
        starts = sorted(name for name in names if name.endswith("from"))
        found += [(operation, name, name.removesuffix("from") + "to") for name in starts]
        ends = {name for name in names if name == "to" or name.endswith("_to")}
        assert ends == {name.removesuffix("from") + "to" for name in starts}, operation
    return found


DAYS = ("2026-03-31", "2026-04-04", "2026-04-05", "2026-04-06", "2026-09-05", "2026-09-06", "2026-12-31", "2027-01-01")
"""Around the ends of a month and a year, and both changes of Chile's clocks: one at midnight, which does not exist."""


@pytest.mark.long
async def test_a_span_that_ends_before_it_begins_is_refused_everywhere(
    app: FastAPI, sign_in: SignIn, seed: Seed
) -> None:
    client = await sign_in(seed.superuser)
    found = pairs(app)
    assert len(found) >= 6
    for operation, first, last in found:
        for began, ended in [*pairwise(DAYS), *pairwise(DAYS[::-1]), *zip(DAYS, DAYS, strict=True)]:
            query = {first: began, last: ended}
            answer = await operation.request(client, RULES[operation.id], None, **query)  # type: ignore[arg-type]
            if ended < began:
                assert codes(answer) == [(last, f"before_{first}")], (operation, query)
            else:
                assert answer.status_code == 200, (operation, query, answer.text)
