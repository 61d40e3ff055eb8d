"""What a cached function was asked for: its arguments, and what of the request those do not say.

fastapi-cache2's own key builder writes arguments by `repr`: an injected object's is its address in memory, which comes
again, and 12 of 200 requests got another user's answer.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from inspect import Parameter, signature
from operator import itemgetter
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import BaseModel
from pydantic.errors import PydanticUserError
from starlette.requests import HTTPConnection, Request

from api.fastapi_cache.invalidation import digest_of
from core.access import Actor, ClinicScope
from core.cache.policy import shape_of
from core.runtime import Runtime

PLAIN = (str, int, float, bool, type(None), Decimal, date, time, UUID, Enum)
"""Values whose text says all about them. Models, dataclasses, lists and mappings are their parts."""
OF_THE_PROCESS = (Runtime,)
"""Injected, and the same for every request: an answer does not depend on it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call of a route with plain `@cache` asks for."""

    digest: str
    """24 hex digits: equal for calls that must get the same answer."""
    clinic_id: int | None
    """Whose data the answer is made of; None: of all clinics."""
    is_plain: bool
    """Whether nothing narrows it: each argument but the scope is its default, or False where it has none, and it is not
    one user's. All calls of a clinic for which this holds ask the same."""


def asked_of(
    function: Callable[..., Any],
    namespace: str,
    request: Request | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Asked:
    """What a call of `function` asks for. Calls with equal arguments ask for the same: whoever reads a clinic by the
    same ClinicScope shares its answer.

    A function that takes the Actor is each user's own. So is one that takes the Request, or an injected object that
    has no text (a service, a session): what it reads from there is not known, so path, query and user say it. What a
    function takes from elsewhere, a context variable for example, no key can know.

    Raises TypeError for an argument without a text where there is no request, and for a model with a part without one.
    """
    named = {str(name): value for name, value in (*enumerate(args), *sorted(kwargs.items()))}
    texts = {name: text_of(value) for name, value in named.items() if not isinstance(value, OF_THE_PROCESS)}
    silent = [named[name] for name, text in texts.items() if text is None]
    # A model is what a client sent; any other object, with a request, is injected.
    if any(request is None or isinstance(value, BaseModel) for value in silent):
        raise TypeError(f"{function.__qualname__} cannot be cached: an argument is neither text, number nor date")
    actor: Actor | None = getattr(request.state, "actor", None) if request is not None else None
    scopes = [value for value in named.values() if isinstance(value, ClinicScope)]
    clinic_id = scopes[0].clinic_id if len(scopes) == 1 else None
    whose: list[Any] = []
    if request is not None and (silent or takes_request(function)):
        whose = [request.url.path, sorted(request.query_params.multi_items(), key=itemgetter(0)), text_of(actor)]
    is_users = bool(whose) or any(isinstance(value, Actor) for value in named.values())
    if is_users:
        clinic_id = actor.clinic_id if actor is not None else None
    return Asked(
        digest_of(json.dumps([namespace, whose, texts])),
        clinic_id,
        is_plain=not is_users and len(scopes) <= 1 and _is_default(function, named, texts),
    )


def _is_default(function: Callable[..., Any], named: dict[str, Any], texts: dict[str, Any]) -> bool:
    defaults = defaults_of(function)
    # By their texts: True == 1.
    return all(isinstance(named[name], ClinicScope) or text == defaults.get(name) for name, text in texts.items())


def text_of(value: object) -> list[Any] | None:
    """[its type, what it says]: 1 is not "1". None for an object that only has an address.

    By parts, not as JSON: that leaves out what a model excludes, and hides secrets, and two callers would be one. Of an
    Actor not what each request has its own of.
    """
    if isinstance(value, PLAIN):
        return [type(value).__qualname__, str(value)]
    if isinstance(value, Actor):
        value = replace(value, ip=None, request_id=None)
    parts: list[object]
    if isinstance(value, list | tuple):
        parts = list(value)
    elif isinstance(value, dict):
        parts = [part for item in value.items() for part in item]
    elif isinstance(value, BaseModel):
        parts = [part for item in value for part in item]
    elif is_dataclass(value):
        parts = [getattr(value, field.name) for field in fields(value)]
    else:
        return None
    texts = [text_of(part) for part in parts]
    return None if None in texts else [type(value).__qualname__, *texts]


@lru_cache(maxsize=1024)
def defaults_of(function: Callable[..., Any]) -> dict[str, list[Any] | None]:
    """Parameter → its default's text, by name and by number. False's where there is no default."""
    found: dict[str, list[Any] | None] = {}
    for number, (name, parameter) in enumerate(signature(function).parameters.items()):
        default = False if parameter.default is Parameter.empty else parameter.default
        found[name] = found[str(number)] = text_of(default)
    return found


@lru_cache(maxsize=1024)
def takes_request(function: Callable[..., Any]) -> bool:
    """Whether a parameter is the request itself, or may be: what such a function reads of it is not known."""
    try:
        hints = get_type_hints(function).values()
    except NameError:
        return True  # annotated with what cannot be looked up: it may
    return any(isinstance(hint, type) and issubclass(hint, HTTPConnection) for hint in hints)


@lru_cache(maxsize=1024)
def shape_of_answer(function: Callable[..., Any]) -> str:
    """Digest of where the function stands and of its answer's shape: a deploy that changes it meets no old bytes."""
    try:
        shape = shape_of(get_type_hints(function).get("return"))
    except (NameError, PydanticUserError):
        # Named where it cannot be looked up, or, like a Response, without a schema.
        shape = repr(function.__annotations__.get("return"))
    return digest_of(f"{function.__module__}.{function.__qualname__}:{shape}")
