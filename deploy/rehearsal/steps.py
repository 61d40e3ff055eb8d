"""What an operator does and what happens to them, step by step, while clients go on; each step says what they saw."""

import asyncio
import secrets
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from deploy.rehearsal.clients import ANSWERED, LATER, OLD, Clients
from deploy.rehearsal.containers import DATA
from deploy.rehearsal.site import Site

CLINIC: Final = "admin_iqui"
REPLICAS: Final = ("replica-1", "replica-2")
LATE: Final = 0.02
"""Of all answers: where a process gets no turn for two seconds, which it may on a busy machine, it says so."""
BACKUP: Final = f"{DATA}/rehearsal.dump"
"""On the one volume that containers of PostgreSQL share and may write."""
DATABASE: Final = "postgresql://ticket_home@postgres/ticket_home?sslmode=require"
LOCAL: Final = {"TICKET_HOME_ENV": "local"}
IN_PLACE: Final = ("--clean", "--if-exists", "--single-transaction", "--no-owner")
DEMO: Final = ("ticket-home", "demo", "--clinics", "2", "--tickets", "1000")


@dataclass
class Rehearsal:
    """`next_version` is a folder for PYTHONPATH; `seconds` is how long each state is looked at; `say` gets a line of
    the transcript at a time."""

    site: Site
    next_version: Path
    seconds: float
    say: Callable[[str], None]
    changed: dict[str, str] = field(default_factory=dict)
    """What replicas get that are started from now on, in place of what compose.yaml says."""

    async def run(self) -> None:
        await asyncio.to_thread(self.site.up, "nginx")
        self.say("PostgreSQL, Valkey, the migration, two replicas and nginx are up")
        await asyncio.to_thread(self.site.up, "prometheus")
        self.say(f"Prometheus looks on, at http://{self.site.containers.address('prometheus')}:9090")
        password = secrets.token_urlsafe(16)
        demo = {**LOCAL, "TICKET_HOME_DEMO_PASSWORD": password}
        await asyncio.to_thread(self.site.run, "migration", *DEMO, more=demo)
        clients = Clients(self.site, CLINIC, password)
        await clients.begin()
        async with clients.busy():
            await self._nothing(clients)
            await self._upgrade(clients)
            await self._lose_redis(clients)
            await self._lose_postgres(clients)
            await self._restore(clients)
            await self._rotate_keys(clients)
        await self._look_at_what_was_written(clients)

    async def _nothing(self, clients: Clients) -> None:
        clients.fresh()
        await clients.more(self.seconds)
        self._told("nothing happens", clients, ANSWERED)

    async def _upgrade(self, clients: Clients) -> None:
        """The migration by the new version, then one replica after the other. They also get to know the next key."""
        clients.fresh()
        next_key = secrets.token_hex(32)
        self.changed |= {
            "PYTHONPATH": str(self.next_version),
            "SECRET_KEYS": f"{self.site.given['SECRET_KEYS']},{next_key}",
        }
        migrate = self.site.containers.words(self.site.services["migration"])
        await self._of_service("migration", *migrate)
        await self._roll(clients)
        for name in REPLICAS:
            metrics = self.site.ask(name, "/metrics", self.site.given["METRICS_TOKEN"])
            assert metrics is not None
            assert '.post1+local"' in metrics.text, metrics.text[:300]
        self._told("a new version is rolled out", clients, ANSWERED)

    async def _lose_redis(self, clients: Clients) -> None:
        clients.fresh()
        self.site.stop("redis", signal.SIGKILL)
        await clients.more(self.seconds)
        await asyncio.to_thread(self.site.up, "redis")
        await clients.more(self.seconds)
        self._told("Redis is killed, and comes back empty", clients, ANSWERED)

    async def _lose_postgres(self, clients: Clients) -> None:
        clients.fresh()
        self.site.stop("postgres", signal.SIGKILL)
        await clients.more(self.seconds)
        await asyncio.to_thread(self.site.up, "postgres")
        took = await clients.settled()
        self._told("PostgreSQL is killed, and comes back", clients, ANSWERED, OLD, LATER)
        assert clients.seen[OLD], "reads go on"
        self.say(f"    nothing but answers {took:.1f} s after it was healthy")

    async def _restore(self, clients: Clients) -> None:
        """In place, under the running service, as docs/operations.md has it."""
        clients.fresh()
        async with clients.reading_only():
            await self._of_postgres("pg_dump", "--format=custom", f"--file={BACKUP}", f"--dbname={DATABASE}")
            in_backup = clients.written
        await clients.more(self.seconds)
        async with clients.reading_only():
            lost, clients.written = clients.written - in_backup, in_backup
            await self._of_postgres("pg_restore", *IN_PLACE, f"--dbname={DATABASE}", BACKUP)
            await self._of_service("migration", "ticket-home", "migrate")
            # In production it would refuse the rehearsal's own accounts, which are the demo's.
            await self._of_service("migration", "ticket-home", "doctor", more=LOCAL)
            took = await clients.settled()
            assert await clients.total() == in_backup, "what was lost is told by nobody"
        self._told("PostgreSQL is restored in place", clients, ANSWERED, OLD, LATER)
        self.say(f"    {lost} tickets that were written since the backup are gone, and are counted by nobody")
        self.say(f"    nothing but answers {took:.1f} s after the doctor found nothing")

    async def _rotate_keys(self, clients: Clients) -> None:
        """All know the next key before the first signs with it: else it is a 401 at the replica that does not yet."""
        clients.fresh()
        old, new = self.changed["SECRET_KEYS"].split(",")
        before = clients.token
        self.changed["SECRET_KEYS"] = f"{new},{old}"
        await self._roll(clients)
        await clients.sign_in()
        assert await clients.asked(before) == 200, "the old key verifies still"
        self.changed["SECRET_KEYS"] = new
        await self._roll(clients)
        assert await clients.asked(before) == 401, "what the old key signed is over"
        self._told("keys are rotated, and who signed in since stays so", clients, ANSWERED)

    async def _of_service(self, name: str, *words: str, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """A command of the version that runs now."""
        given = self.changed | dict(more)
        await asyncio.to_thread(self.site.run, name, *words, more=given, shown=(self.next_version,))

    async def _of_postgres(self, *words: str) -> None:
        password = {"PGPASSWORD": self.site.given["POSTGRES_PASSWORD"]}
        await asyncio.to_thread(self.site.run, "postgres", *words, more=password)

    async def _roll(self, clients: Clients) -> None:
        for name in REPLICAS:
            code = await asyncio.to_thread(self.site.stop, name)
            assert code == 0, self.site.log(name)[-3000:]
            self.site.start(name, self.changed, (self.next_version,))
            await asyncio.to_thread(self.site.until, partial(self.site.is_ready, name), f"{name} is ready")
            await clients.more(0)

    async def _look_at_what_was_written(self, clients: Clients) -> None:
        # The last one may have been under way when its client was ended.
        assert await clients.total() - clients.written in (0, 1)
        self.say(f"all of {clients.written} tickets that were written are there, each once")

    def _told(self, what: str, clients: Clients, *expected: str) -> None:
        counts = ", ".join(f"{number} {label}" for label, number in clients.seen.most_common())
        self.say(f"{what}: {counts}")
        assert not clients.failed, f"{len(clients.failed)} failed, such as {clients.failed[:3]}"
        others = sum(number for label, number in clients.seen.items() if label not in expected)
        assert others <= clients.seen.total() * LATE, clients.seen
