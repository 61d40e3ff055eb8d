"""What a request waits for before its answer: nothing that is not a server."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.ops.routes import router as ops
from api.v1.routers import ROUTERS
from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support.asgi import answered_at_once


def calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls(inner)


def test_every_dependency_and_route_is_async() -> None:
    """FastAPI runs others in a thread: three such trips took longer than the rest of a hit."""
    routes = [route for router in (*ROUTERS, ops) for route in router.routes if isinstance(route, APIRoute)]
    found = {call for route in routes for call in calls(route.dependant)}
    assert len(found) > 30
    in_threads = [
        call
        for call in found
        if not inspect.iscoroutinefunction(call) and not inspect.iscoroutinefunction(type(call).__call__)
    ]
    assert in_threads == []


@pytest.mark.parametrize("path", ["/v1/doctors", "/v1/dashboard"])
async def test_a_warm_hit_is_answered_without_one_pause(app: FastAPI, sign_in: SignIn, seed: Seed, path: str) -> None:
    """In one go of the event loop: no thread, no lock, no server, and nothing that could happen in between."""
    client = await sign_in(seed.sant.admin)
    for _ in range(2):
        warm = await client.get(path)
    sent = answered_at_once(app, client, path)
    assert sent[0]["status"] == 200
    assert dict(sent[0]["headers"])[b"cache-status"].startswith(b"ticket-home; hit")
    assert sent[1]["body"] == warm.content
