"""All servers of the table, up at once: so rounds are truly interleaved, and who waits costs next to nothing."""

import asyncio
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.hits import cases
from bench.hits.cases import Case, Signed
from bench.hits.signing_in import signed_in
from bench.servers import nginx
from bench.servers.cores import Cores
from bench.servers.install import FOLDER, ROOT, python_of_peers
from bench.servers.serving import Up, serving, ticket_home, uvicorn
from bench.servers.site import Site


@dataclass(frozen=True)
class Stand:
    """One row, and whom to ask."""

    case: Case
    up: Up
    beside: int | None = None
    """A process that is measured with it."""
    database: int | None = None
    """PostgreSQL, where its work is what the row is about."""
    is_ours: bool = False


class Start:
    """Starts servers, one after the other, that end with `stack`."""

    def __init__(self, stack: ExitStack, cores: Cores, place: Site) -> None:
        self._stack, self._cores, self._place = stack, cores, place
        self._folder, self._environment = place.folder, place.environment

    def stands(self) -> tuple[list[Stand], list[str]]:
        """All rows, the servers up; and what is skipped, and why."""
        ours = self._up("ours", ticket_home, self._environment)
        signed = asyncio.run(signed_in(self._place, ours.port))
        database = self._place.postmaster()
        behind_nginx, skipped = self._nginx(signed)
        without_memory = self._up("cold", ticket_home, self._environment | {"CACHE_MEMORY_BYTES": "0"})
        found = [
            *behind_nginx,
            *self._peers(signed),
            *(Stand(case, ours, is_ours=True) for case in cases.of_ours(signed)),
            Stand(cases.under_granian(signed), self._granian(), is_ours=True),
            Stand(cases.in_redis(signed), without_memory, is_ours=True),
            *(Stand(case, ours, database=database, is_ours=True) for case in cases.of_the_database(signed)),
        ]
        return found, skipped

    def _up(self, name: str, command: Callable[[int], Sequence[str]], environment: Mapping[str, str]) -> Up:
        return self._stack.enter_context(serving(self._cores, command, environment, self._folder / f"{name}.log"))

    def _peers(self, signed: Signed) -> list[Stand]:
        found = []
        for name, of_peer in cases.of_peers().items():
            up = self._peer(name, signed)
            found += [Stand(case, up) for case in of_peer]
        return found

    def _peer(self, name: str, signed: Signed) -> Up:
        body = self._folder / "body"
        body.write_bytes(signed.body)
        environment = {"BENCH_BODY": str(body), "BENCH_REDIS": self._place.embedded.redis_url}
        python = python_of_peers()
        return self._up(name, lambda port: uvicorn(python, name, port), environment)

    def _nginx(self, signed: Signed) -> tuple[list[Stand], list[str]]:
        program = nginx.program()
        if program is None:
            why = "SKIPPED: both rows of nginx, which is missing. Run once, as root: apt-get install nginx-light"
            return [], [why]
        of_static, behind_a_login = cases.of_nginx()
        static = self._up("static", nginx.static(program, self._folder / "static", signed.body), {})
        upstream = self._peer("behind_nginx", signed)
        login = self._up("login", nginx.behind_a_login(program, self._folder / "login", upstream.port), {})
        return [Stand(of_static, static), Stand(behind_a_login, login, beside=upstream.process)], []

    def _granian(self) -> Up:
        """In the service's own environment, with granian from the peers'."""
        python_of_peers()
        packages = sysconfig.get_path("purelib", vars={"base": str(FOLDER), "platbase": str(FOLDER)})
        words = ("-m", "granian", "--interface", "asgi", "--factory", "--workers", "1", "--no-access-log")
        target = "bench.servers.under_granian:ours"
        return self._up(
            "granian",
            lambda port: [sys.executable, *words, "--log-level", "warning", "--port", str(port), target],
            self._environment | {"PYTHONPATH": f"{ROOT}:{packages}"},
        )
