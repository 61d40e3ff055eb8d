"""A day's moments, asked of a server at their time, compressed."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from time import perf_counter

import asyncpg

from bench.load.closed import is_whole
from bench.load.heads import HOST, Asked, request
from bench.workday.day import Moment

CONNECTIONS = 16
CLOCK = "SELECT cache_invalidate($1, 'figures')"
CLINICS = """
SELECT c.id, (SELECT min(id) FROM surgery WHERE clinic_id = c.id AND is_active) AS surgery,
    (SELECT min(id) FROM specialty WHERE clinic_id = c.id AND is_active) AS specialty,
    ARRAY(SELECT id || ' ' || revision FROM ticket WHERE clinic_id = c.id AND status = 'active'
        AND admission_at < now() - interval '1 hour' ORDER BY id) AS tickets
FROM clinic c ORDER BY id
"""
HIT = re.compile(rb"cache-status: ticket-home; (hit|fwd=(\w+))")


@dataclass
class Clinic:
    id: int
    surgery: int
    specialty: int
    tickets: list[str]
    """`id revision` of those that a nurse may still discharge."""
    bearer: dict[str, str]
    etags: dict[tuple[int, str], str] = field(default_factory=dict)


@dataclass
class Played:
    """What was seen: by target without its query, (hit, not) → answers, and how many writes there were."""

    reads: dict[str, Counter[str]] = field(default_factory=dict)
    writes: int = 0
    latest: float = 0.0
    """Seconds that the latest request was behind its time."""
    wrong: list[str] = field(default_factory=list)
    """Answers that nobody should get."""

    def hit_rate(self, *targets: str) -> float:
        reads = sum((self.reads.get(target, Counter()) for target in targets), Counter())
        return reads["hit"] / reads.total()


async def clinics_of(url: str, bearers: Sequence[dict[str, str]]) -> list[Clinic]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(CLINICS)
    await connection.close()
    return [
        Clinic(row["id"], row["surgery"], row["specialty"], list(row["tickets"]), bearer)
        for row, bearer in zip(rows, bearers, strict=True)
    ]


class Player:
    def __init__(
        self,
        port: int,
        clinics: Sequence[Clinic],
        superuser: dict[str, str],
        database: "asyncpg.Pool[asyncpg.Record]",
    ) -> None:
        self._port, self._clinics, self._superuser, self._database = port, clinics, superuser, database
        self._numbers = count()
        self._played = Played()
        self._month = f"{datetime.now(UTC):%Y-%m-01}"
        self._tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:00}"

    async def play(self, moments: Sequence[Moment], times: float) -> Played:
        """All of it, `times` as fast as it was."""
        queue: asyncio.Queue[Moment | None] = asyncio.Queue()
        began = perf_counter()
        async with asyncio.TaskGroup() as clients:
            for _ in range(CONNECTIONS):
                clients.create_task(self._client(queue, began, times))
            for moment in moments:
                wait = began + moment.at / times - perf_counter()
                if wait > 0:
                    await asyncio.sleep(wait)
                queue.put_nowait(moment)
            for _ in range(CONNECTIONS):
                queue.put_nowait(None)
        return self._played

    async def _client(self, queue: "asyncio.Queue[Moment | None]", began: float, times: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while (moment := await queue.get()) is not None:
            self._played.latest = max(self._played.latest, perf_counter() - began - moment.at / times)
            clinic = self._clinics[moment.clinic]
            if moment.does == "clock":
                await self._database.execute(CLOCK, clinic.id)
                continue
            asked = self._read(clinic, moment) if moment.does == "read" else self._written(clinic, moment)
            writer.write(request(asked, HOST))
            self._note(clinic, moment, await _answer(reader))
        writer.close()

    def _read(self, clinic: Clinic, moment: Moment) -> Asked:
        etag = clinic.etags.get((moment.who, moment.target))
        return Asked(moment.target.format(month=self._month), clinic.bearer | ({"If-None-Match": etag} if etag else {}))

    def _written(self, clinic: Clinic, moment: Moment) -> Asked:
        """A catalog's edit; or, in turns, a ticket made and one discharged."""
        number = next(self._numbers)
        if moment.does == "edit":
            body = {"clinic_id": clinic.id, "name": f"Dra. Bench {number}", "specialty_id": clinic.specialty}
            return Asked("/v1/doctors", self._superuser, body)
        if number % 2 and clinic.tickets:
            ticket, _, revision = clinic.tickets.pop().partition(" ")
            return Asked(f"/v1/tickets/{ticket}/discharge", clinic.bearer | {"If-Match": f'"{revision}"'}, {})
        patient = {"document_type": "passport", "document": f"BENCH{number}", "first_name": "Ana", "last_name": "Soto"}
        body = {"patient": patient, "surgery_id": clinic.surgery, "surgery_at": self._tomorrow}
        return Asked("/v1/tickets", clinic.bearer, body)

    def _note(self, clinic: Clinic, moment: Moment, answer: bytes) -> None:
        head = answer[: answer.index(b"\r\n\r\n")]
        if not (b" 20" in head[:12] or b" 304" in head[:12]):
            self._played.wrong.append(answer[:2000].decode(errors="replace"))
        if moment.does != "read":
            self._played.writes += 1
            return
        found = HIT.search(head)
        outcome = "none" if found is None else (found[2] or found[1]).decode()
        self._played.reads.setdefault(moment.target.partition("?")[0], Counter())[outcome] += 1
        etag = re.search(rb"\r\netag: ([^\r]+)", head)
        if etag is not None:
            clinic.etags[moment.who, moment.target] = etag[1].decode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    data = await reader.readuntil(b"\r\n\r\n")
    while not is_whole(data):
        more = await reader.read(1 << 16)
        if not more:
            raise ConnectionError("the server closed a connection")
        data += more
    return data
