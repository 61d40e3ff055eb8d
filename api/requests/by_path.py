"""Routes whose path has no parameters, found by their path: Starlette tries one route after the other."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


class ByPath(BaseRoute):
    """Stands before `routes` in a router, and knows which of them is the first to match. Paths that it does not know
    are left to them. One that it knows is not that of a later route with a parameter in its place, whatever the method.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._found: dict[tuple[str, str], Scope] = {}
        self._other: dict[str, Scope] = {}
        """Path → one of its routes, for methods that none of them takes."""
        in_order = [route for route in routes if isinstance(route, APIRoute)]
        for at, route in enumerate(in_order):
            if "{" not in route.path and route.path not in self._other:
                self._other[route.path] = route.matches(_asked("", route.path))[1]
                taking = [other for other in in_order[: at + 1] if other.path_regex.match(route.path)]
                taking += [other for other in in_order[at + 1 :] if other.path == route.path]
                for method in {method for one in taking for method in one.methods or ()}:
                    matched = (one.matches(_asked(method, route.path)) for one in taking)
                    scope = next((scope for match, scope in matched if match is Match.FULL), None)
                    if scope is not None:
                        self._found[method, route.path] = scope

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope.get("root_path"):
            return Match.NONE, {}
        found = self._found.get((scope["method"], scope["path"])) or self._other.get(scope["path"])
        return (Match.NONE, {}) if found is None else (Match.FULL, found)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope["route"]
        if scope["method"] not in route.methods:
            raise HTTPException(405)
        await route.app(scope, receive, send)


def _asked(method: str, path: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "root_path": ""}
