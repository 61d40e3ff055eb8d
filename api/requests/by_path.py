"""Routes whose path has no parameters, found by their path: Starlette tries one route after the other."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


class ByPath(BaseRoute):
    """Stands before `routes` in a router, and knows which of them is the first to match. What it does not know is left
    to them."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._found: dict[tuple[str, str], Scope] = {}
        for path in {route.path for route in routes if isinstance(route, APIRoute) and "{" not in route.path}:
            for method in {method for route in routes if isinstance(route, APIRoute) for method in route.methods or ()}:
                asked = {"type": "http", "method": method, "path": path, "root_path": ""}
                matched = [(route, *route.matches(asked)) for route in routes]
                full = next(((route, scope) for route, match, scope in matched if match is Match.FULL), None)
                if full is not None and isinstance(full[0], APIRoute):
                    self._found[method, path] = full[1]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope.get("root_path"):
            return Match.NONE, {}
        found = self._found.get((scope["method"], scope["path"]))
        return (Match.NONE, {}) if found is None else (Match.FULL, found)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].app(scope, receive, send)
