"""What a route's signature asks for, put in order once. FastAPI finds it out anew for each request, which takes longer
than all the rest of a hit.

Nothing is said a second time here: who may read what, and what a parameter may be, is in the signatures alone. A plan
is made of FastAPI's own reading of them (`Dependant`), and reads parameters by FastAPI's own function. What it does not
cover is left to FastAPI: `plan_of` gives None for such a route, `Plan.read` for such a request.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fastapi import Request
from fastapi.datastructures import QueryParams
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from starlette.responses import Response

LONGEST = 256
"""Bytes of a query whose values are kept; they depend on nothing else, and none of them can be changed."""
KEPT = 256
"""Queries of one route whose values are kept."""
Values = tuple[dict[str, Any], ...]
"""What the query and the path say to each call, by parameter."""
NOT_COVERED = (
    *("header_params", "cookie_params", "body_params", "own_oauth_scopes", "concurrency", "http_connection_param_name"),
    *("response_param_name", "background_tasks_param_name", "security_scopes_param_name", "websocket_param_name"),
)
"""What a `Dependant` of a plan does not have."""


@dataclass(frozen=True, slots=True)
class Call:
    """A dependency, or the route itself, and what it is called with beside the values of its parameters."""

    function: Callable[..., Awaitable[Any]]
    dependant: Dependant
    results: tuple[tuple[str, int], ...]
    """(parameter, which of the calls before gives its value)"""
    request: str | None
    """The parameter that takes the request."""


class Plan:
    """How a route is called without FastAPI's solving of its dependencies. `calls`: these in their order, the route
    last; `known`: the names of all parameters of its query."""

    def __init__(self, calls: Sequence[Call], known: frozenset[str]) -> None:
        self._calls = calls
        self._known = known
        self._has_path = any(call.dependant.path_params for call in calls)
        self._kept = lru_cache(maxsize=KEPT)(self._of_query)

    def read(self, request: Request) -> Values | None:
        """The values of the calls' parameters; None where something in the query or the path is to be refused."""
        query: bytes = request.scope["query_string"]
        values = self._kept(query) if len(query) <= LONGEST else self._of_query(query)
        return self._with_path(values, request.path_params) if values is not None and self._has_path else values

    def _of_query(self, query: bytes) -> Values | None:
        sent = QueryParams(query)
        names = [name for name, _ in sent.multi_items()]
        read = [request_params_to_args(call.dependant.query_params, sent) for call in self._calls]
        if not self._known.issuperset(names) or len(names) > len(set(names)) or any(errors for _, errors in read):
            return None
        return tuple(values for values, _ in read)

    def _with_path(self, values: Values, path: Mapping[str, Any]) -> Values | None:
        read = [request_params_to_args(call.dependant.path_params, path) for call in self._calls]
        if any(errors for _, errors in read):
            return None
        return tuple(of_query | of_path for of_query, (of_path, _) in zip(values, read, strict=True))

    async def answer(self, request: Request, values: Values, given: Mapping[Any, Any]) -> Response:
        """What the route answers. `given` is what functions have given already: the gates, which come before all else.

        Raises what they raise.
        """
        results: list[Any] = []
        for call, said in zip(self._calls, values, strict=True):
            if call.function in given:
                results.append(given[call.function])
                continue
            arguments = dict(said)
            for parameter, at in call.results:
                arguments[parameter] = results[at]
            if call.request is not None:
                arguments[call.request] = request
            results.append(await call.function(**arguments))
        response: Response = results[-1]
        return response


def plan_of(route: Dependant, known: frozenset[str]) -> Plan | None:
    """None where something else is asked for than the query, the path, the request and what async functions make of
    them, or where the route leaves it to FastAPI to make a response of what it returns."""
    returned = getattr(route.call, "__annotations__", {}).get("return")
    if not (isinstance(returned, type) and issubclass(returned, Response)):
        return None
    calls: dict[Any, Call] = {}
    return Plan(tuple(calls.values()), known) if _add(calls, route) else None


def _add(calls: dict[Any, Call], one: Dependant) -> bool:
    """Add it, and before it what it depends on, each once. False where a plan does not cover that."""
    if one.call is None or not _is_async(one.call) or any(getattr(one, name) for name in NOT_COVERED):
        return False
    if not all(inner.use_cache and not inner.scope and _add(calls, inner) for inner in one.dependencies):
        return False
    places = {function: at for at, function in enumerate(calls)}
    results = tuple((inner.name, places[inner.call]) for inner in one.dependencies if inner.name is not None)
    calls.setdefault(one.call, Call(one.call, one, results, one.request_param_name))
    return True


def _is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
