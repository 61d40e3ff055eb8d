"""What people ask of a network all day, in any order, and never quite the same twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Any

import httpx

from bench.load.heads import BROWSER
from bench.servers.site import PASSWORD

AT_ONCE = 8
EXPECTED = frozenset((200, 201, 204, 304, 401, 404, 409, 412, 422))
"""What people get who are not alone, and mistype; 401 is a wrong password's."""
BUSY = 503
"""What a machine answers that others keep busy: counted, and told."""
NAMES = ("Ana", "José", "María", "Íñigo", "Rosa", "Pedro", "Inés", "Soto", "Rojas", "Núñez", "Muñoz", "Díaz", "Pérez")
CATALOGS = ("surgeries", "doctors", "specialties", "reasons", "discharge-blocks", "urgency-thresholds", "clinics")
SORTS = ("created_at", "-created_at", "current_fpa", "-current_fpa", "patient", "-patient", "surgery", "-surgery")
STATES = ("scheduled", "normal", "warning", "critical", "overdue", "discharged", "annulled")
VIEWS = ("active", "overdue", "discharged", "annulled", "without_episode", "all")

Answer = httpx.Response
Act = Callable[["Ward"], Awaitable[object]]


@dataclass
class Ward:
    """A clinic as who works there knows it: its administrator, and ids that are asked for."""

    username: str
    headers: dict[str, str]
    clinic_id: int = 0
    specialties: list[int] = field(default_factory=list)
    surgeries: list[int] = field(default_factory=list)
    reasons: dict[str, list[int]] = field(default_factory=dict)
    tickets: list[str] = field(default_factory=list)


class People:
    """`rate` requests a second, from all `wards` in turns, until `until` (perf_counter)."""

    def __init__(self, port: int, wards: Sequence[Ward], superuser: dict[str, str]) -> None:
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, headers=BROWSER)
        self._wards, self._superuser = wards, superuser
        self._rng = Random(1)
        self._number = 0
        self.asked: Counter[str] = Counter()
        self.busy = 0
        self.wrong: list[str] = []
        """Answers that nobody should get."""
        kinds: dict[Act, float] = {
            **{self._dashboard: 20, self._month: 10, self._network: 2, self._catalog: 15, self._board: 15},
            **{self._list: 12, self._ticket: 8, self._paper: 1, self._audit: 2, self._mistake: 3, self._sheet: 0.05},
            **{self._create: 5, self._change: 6, self._sign_in: 0.5, self._edit_catalog: 0.5, self._look: 1},
            **{self._events: 1, self._vanish: 2},
        }
        self._kinds, self._weights = list(kinds), list(kinds.values())

    async def ask(self, until: float, rate: float) -> None:
        await asyncio.gather(*(self._learn(ward) for ward in self._wards))
        due = perf_counter()
        busy: set[asyncio.Task[None]] = set()
        while due < until:
            due = max(due + self._rng.expovariate(rate), perf_counter() - 1)
            await asyncio.sleep(max(0.0, due - perf_counter()))
            if len(busy) >= AT_ONCE:
                await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
            kind = self._rng.choices(self._kinds, self._weights)[0]
            task = asyncio.ensure_future(self._one(kind, self._rng.choice(self._wards)))
            busy.add(task)
            task.add_done_callback(busy.discard)
        await asyncio.gather(*busy)
        await self._client.aclose()

    async def _one(self, kind: Act, ward: Ward) -> None:
        self.asked[kind.__name__.strip("_")] += 1
        await kind(ward)

    async def _send(self, ward: Ward, method: str, path: str, **more: Any) -> Answer:
        trace = f"00-{self._rng.getrandbits(128):032x}-{self._rng.getrandbits(64):016x}-01"
        headers = {"traceparent": trace} | ward.headers | more.pop("headers", {})
        if self._rng.random() < 0.5:
            headers["Accept-Encoding"] = "gzip"
        if self._rng.random() < 0.02:
            headers["Connection"] = "close"
        answer = await self._client.request(method, path, headers=headers, **more)
        if answer.status_code == BUSY:
            self.busy += 1
        elif answer.status_code not in EXPECTED:
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    async def _get(self, ward: Ward, path: str, **query: Any) -> Answer:
        return await self._send(ward, "GET", path, params={key: one for key, one in query.items() if one is not None})

    async def _learn(self, ward: Ward) -> None:
        ward.surgeries = [one["id"] for one in await self._items(ward, "/v1/surgeries")]
        ward.clinic_id = (await self._items(ward, "/v1/clinics"))[0]["id"]
        ward.specialties = [one["id"] for one in await self._items(ward, "/v1/specialties")]
        for one in await self._items(ward, "/v1/reasons"):
            ward.reasons.setdefault(one["category"], []).append(one["id"])
        ward.tickets = [one["id"] for one in await self._items(ward, "/v1/tickets?status=active")]

    async def _items(self, ward: Ward, path: str) -> list[dict[str, Any]]:
        """All of a catalog, or a list's first page, as soon as the machine has time for it."""
        answer = await self._get(ward, path)
        if answer.status_code == BUSY:
            await asyncio.sleep(float(answer.headers["Retry-After"]))
            return await self._items(ward, path)
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def _look(self, ward: Ward) -> None:
        """Which tickets there are that somebody may open."""
        found = (await self._get(ward, "/v1/tickets", limit=200, status="active", sort=self._any(SORTS))).json()
        ward.tickets = [one["id"] for one in found.get("items", ())] or ward.tickets

    async def _dashboard(self, ward: Ward) -> None:
        etag = (await self._get(ward, "/v1/dashboard")).headers.get("ETag")
        if etag and self._rng.random() < 0.3:
            await self._send(ward, "GET", "/v1/dashboard", headers={"If-None-Match": etag})

    async def _month(self, ward: Ward) -> None:
        first = self._day()
        until = self._maybe(first + timedelta(days=self._rng.randrange(400)))
        await self._get(
            ward, "/v1/dashboard", date_from=first, date_to=until, surgery_id=self._maybe(self._any(ward.surgeries))
        )

    async def _events(self, ward: Ward) -> None:
        """A page that follows what changes, closed after the first event."""
        async with self._client.stream("GET", "/v1/events", headers=ward.headers) as answer:
            await anext(answer.aiter_lines(), None)

    async def _vanish(self, ward: Ward) -> None:
        """Somebody who leaves before the answer comes, or as it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._rng.random() / 50):
                await self._month(ward)

    async def _network(self, ward: Ward) -> None:
        path = self._any(("/v1/dashboard", "/v1/nursing-board", "/v1/tickets", "/v1/admin/cache", "/v1/users"))
        await self._send(Ward(ward.username, self._superuser), "GET", path)

    async def _catalog(self, ward: Ward) -> None:
        await self._get(ward, f"/v1/{self._any(CATALOGS)}", include_inactive=self._maybe("true"))

    async def _board(self, ward: Ward) -> None:
        asked = {
            **{"view": self._any(VIEWS), "sort": self._any(("urgency", "created_at", "-current_fpa"))},
            **{"limit": self._any((20, 50, 100)), "q": self._maybe(self._words())},
            **{"surgery_id": self._maybe(self._any(ward.surgeries)), "date_from": self._maybe(self._day())},
        }
        await self._turned(ward, "/v1/nursing-board", asked)

    async def _list(self, ward: Ward) -> None:
        asked = {
            **{"sort": self._any(SORTS), "limit": self._any((20, 50, 200)), "q": self._maybe(self._words())},
            **{"state": self._maybe(self._any(STATES)), "date_from": self._maybe(self._day())},
        }
        await self._turned(ward, "/v1/tickets", asked)

    async def _turned(self, ward: Ward, path: str, asked: dict[str, Any]) -> None:
        """And up to three pages more."""
        for _ in range(self._rng.randrange(1, 4)):
            answer = await self._get(ward, path, **asked)
            cursor = answer.json().get("next") if answer.status_code == 200 else None
            if cursor is None:
                return
            asked = asked | {"cursor": cursor}

    async def _ticket(self, ward: Ward) -> Answer:
        return await self._get(ward, f"/v1/tickets/{self._any(ward.tickets)}")

    async def _paper(self, ward: Ward) -> None:
        await self._get(ward, f"/v1/tickets/{self._any(ward.tickets)}/pdf")

    async def _sheet(self, ward: Ward) -> None:
        kind = self._any(("csv", "xlsx"))
        await self._get(ward, f"/v1/exports/tickets.{kind}", date_from=self._day())

    async def _audit(self, ward: Ward) -> None:
        await self._get(ward, f"/v1/audit/{self._any(('actions', 'logins'))}", user=self._maybe(self._any(NAMES)))

    async def _mistake(self, ward: Ward) -> None:
        number = self._next()
        path = self._any((f"/v1/tickets/TH-NONE-{number}", f"/v1/nothing/{number}", "/v1/dashboard?date_from=never"))
        await self._get(ward, f"{path}{'&' if '?' in path else '?'}n{number}={number}")

    async def _create(self, ward: Ward) -> None:
        number = self._next()
        patient = {
            **{"document_type": "passport", "document": f"SOAK{number}", "age": number % 90},
            **{"first_name": self._any(NAMES), "last_name": f"{self._any(NAMES)} {number}"},
        }
        body = {"patient": patient, "surgery_id": self._any(ward.surgeries), "surgery_at": self._tomorrow()}
        headers = {"Idempotency-Key": f"soak-{number}"}
        answer = await self._send(ward, "POST", "/v1/tickets", json=body, headers=headers)
        if answer.status_code == 201:
            ward.tickets.append(answer.json()["id"])

    async def _change(self, ward: Ward) -> None:
        """One opens a ticket and does something about it, as long as nobody else has."""
        seen = await self._ticket(ward)
        if seen.status_code != 200:
            return
        path, headers = seen.request.url.path, {"If-Match": seen.headers["ETag"]}
        number = self._next()
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1 + number % 3):%Y-%m-%d}"
        method, path, body = self._any(
            (
                ("PATCH", path, {"bed_number": f"{number % 500}", "location": f"Piso {number % 9}"}),
                ("POST", f"{path}/discharge", {}),
                ("POST", f"{path}/annulment", {"reason_id": self._any(ward.reasons["annulment"])}),
                (
                    "POST",
                    f"{path}/fpa-modifications",
                    {
                        **{"date": tomorrow, "block_end_hour": self._any((10, 12, 14, 16))},
                        **{"reason_id": self._any(ward.reasons["modification"]), "justification": f"Control {number}"},
                    },
                ),
            )
        )
        await self._send(ward, method, path, json=body, headers=headers)

    async def _edit_catalog(self, ward: Ward) -> None:
        name = f"Dra. {self._any(NAMES)} {self._next()}"
        body = {"clinic_id": ward.clinic_id, "name": name, "specialty_id": self._any(ward.specialties)}
        await self._send(Ward(ward.username, self._superuser), "POST", "/v1/doctors", json=body)

    async def _sign_in(self, ward: Ward) -> None:
        """One in six mistypes. Whoever is in looks around and leaves."""
        password = PASSWORD if self._rng.random() < 5 / 6 else f"wrong {self._next()}"
        body = {"username": ward.username, "password": password, "client": "mobile"}
        answer = await self._send(Ward(ward.username, {}), "POST", "/v1/auth/login", json=body)
        if answer.status_code == 200:
            own = Ward(ward.username, {"Authorization": f"Bearer {answer.json()['token']}"})
            await self._get(own, "/v1/auth/me")
            await self._get(own, "/v1/dashboard")
            await self._send(own, "POST", "/v1/auth/logout")

    def _any(self, of: Sequence[Any]) -> Any:
        return self._rng.choice(of)

    def _maybe(self, value: Any) -> Any:
        return value if self._rng.random() < 0.5 else None

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _words(self) -> str:
        return " ".join(self._rng.sample(NAMES, self._rng.randrange(1, 3)))

    def _day(self) -> Any:
        return (datetime.now(UTC) - timedelta(days=self._rng.randrange(1500))).date()

    def _tomorrow(self) -> str:
        return f"{datetime.now(UTC) + timedelta(hours=self._rng.randrange(20, 200)):%Y-%m-%dT%H:00}"
