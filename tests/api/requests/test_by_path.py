"""A route that is found by its path is the one that would be found by trying all of them."""

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match

from api.app import create_app
from api.requests.by_path import ByPath
from core.settings import Settings


def first(routes: list[BaseRoute], method: str, path: str) -> BaseRoute | None:
    scope = {"type": "http", "method": method, "path": path, "root_path": ""}
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)


def test_the_same_route_is_found(settings: Settings) -> None:
    index, *routes = create_app(settings).routes
    assert isinstance(index, ByPath)
    paths = {route.path for route in routes if isinstance(route, APIRoute)}
    assert len(paths) > 30
    for path in {*paths, "/", "/v1", "/v1/dashboard/", "/v1/dashboard\n", "/v1/tickets/TH-SANT-2026-1"}:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            match, found = index.matches({"type": "http", "method": method, "path": path, "root_path": ""})
            if match is Match.FULL and method in found["route"].methods:
                assert found["route"] is first(routes, method, path), (method, path)
            elif "{" not in path and path in paths:
                # It is refused here, and what stands later with a parameter in its place does not see it.
                assert match is Match.FULL, (method, path)
                other = first(routes, method, path)
                assert other is None or (isinstance(other, APIRoute) and "{" in other.path), (method, path)


def test_a_route_that_stands_before_goes_before() -> None:
    app = FastAPI()

    @app.get("/things/{name}")
    async def thing(name: str) -> None: ...

    @app.get("/things/all")
    async def everything() -> None: ...

    @app.post("/things/all")
    async def new() -> None: ...

    index = ByPath(app.routes)
    for method, path in (("GET", "/things/all"), ("POST", "/things/all"), ("GET", "/things/1")):
        match, found = index.matches({"type": "http", "method": method, "path": path, "root_path": ""})
        assert (match is Match.NONE and path == "/things/1") or found["route"] is first(app.routes, method, path)


def test_a_router_that_is_mounted_under_a_path_is_asked_as_ever() -> None:
    app = FastAPI()

    @app.get("/thing")
    async def thing() -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/under/thing", "root_path": "/under"}
    assert ByPath(app.routes).matches(scope)[0] is Match.NONE
