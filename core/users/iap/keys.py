"""The public keys that sign assertions: fetched, kept, and fetched again for a key that is not among them.

Each process has its own. The last good set is kept for as long as none can be fetched.
"""

import asyncio
from math import inf
from typing import Any, Literal

import httpx
import jwt
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from core import times
from core.cache.single_flight import Flights
from core.clock import boottime
from core.errors import Unavailable
from core.telemetry.log import logger

LIFE = 3600.0
"""Seconds for which a set is used before it is fetched again: a key that was withdrawn proves nothing for longer."""
PAUSE = 5.0
"""Seconds between two fetches at least: whoever makes up key ids does not make us ask for each of them."""
LARGEST = 64 * 1024
"""Bytes of a set."""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""What is not packed cannot unfold into more than LARGEST."""
TROUBLE = (httpx.HTTPError, TimeoutError, ValueError)
"""What fetching a key set raises: its server is away, slow, or says what is no key set."""


class Jwk(BaseModel):
    """RFC 7517, as far as it is for ES256."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    alg: Literal["ES256"] = "ES256"
    use: Literal["sig"] = "sig"
    kid: str = Field(min_length=1)
    x: str
    y: str


class JwkSet(BaseModel):
    keys: list[Any]


_jwk = TypeAdapter(Jwk)


def keys_in(document: bytes) -> dict[str, jwt.PyJWK]:
    """The keys for ES256 of a key set, by their id; keys of other kinds are passed over.

    Raises ValueError where there is none.
    """
    found: dict[str, jwt.PyJWK] = {}
    for given in JwkSet.model_validate_json(document).keys:
        try:
            key = _jwk.validate_python(given)
            found[key.kid] = jwt.PyJWK(key.model_dump(), "ES256")
        except (ValidationError, jwt.PyJWTError):
            continue  # for another algorithm, or no point of the curve
    if not found:
        raise ValueError("no key for ES256")
    return found


def client() -> httpx.AsyncClient:
    """What fetches key sets. It follows no redirect: the keys are those of the address that was configured."""
    return httpx.AsyncClient(headers=HEADERS, follow_redirects=False)


async def fetched(by: httpx.AsyncClient, url: str) -> dict[str, jwt.PyJWK]:
    """The keys at `url` by their id. Raises one of TROUBLE."""
    document = b""
    async with asyncio.timeout(times.KEY_SET), by.stream("GET", url) as answer:
        answer.raise_for_status()
        async for part in answer.aiter_raw():
            document += part
            if len(document) > LARGEST:
                raise ValueError("too large for a key set")
    return keys_in(document)


class SigningKeys:
    """The public keys of the set at `url`, fetched when they are asked for. One per process; `close` ends it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = -inf
        self._is_away = False
        """Whether the last try to fetch them failed."""
        self._flights: Flights[None] = Flights()
        self._client = client()

    async def key(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id; None where the set has none.

        Raises Unavailable where nobody can say: the set cannot be fetched, and the last good one does not have it.
        """
        if key_id not in self._keys or boottime() - self._fetched_at > LIFE:
            await self._refresh()
        found = self._keys.get(key_id)
        if found is None and self._is_away:
            raise Unavailable("The keys of single sign-on cannot be fetched just now.")
        return found

    async def _refresh(self) -> None:
        """Fetch the set, or wait for who does; nothing within PAUSE of the last try."""
        if len(self._flights) or boottime() - self._tried_at >= PAUSE:
            await self._flights.join("keys", self._fetch)

    async def _fetch(self) -> None:
        self._tried_at = boottime()
        try:
            self._keys = await fetched(self._client, self._url)
        except TROUBLE as error:
            self._is_away = True
            logger.warning("key set not fetched", reason=type(error).__name__, keys_held=len(self._keys))
        else:
            self._is_away = False
            self._fetched_at = self._tried_at

    async def close(self, within: float) -> None:
        """At shutdown: let a fetch end, `within` seconds at most."""
        await self._flights.drain(within)
        await self._client.aclose()
