"""`ticket-home doctor --service`: what is wrong with a running service, its replicas and what stands before it, each
tried on the broken thing itself."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from core.operations.doctor.finding import Finding, Verdict
from core.operations.doctor.service.asking import Service
from core.operations.doctor.service.balancer import look_at_limits, look_at_streams
from core.operations.doctor.service.examine import examine
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.machine import until
from tests.support.processes.commands import TICKET_HOME, environment, run
from tests.support.processes.services import Serving, serving, worker_pids, workers
from tests.support.servers.balancers import Balancer, balancer
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import NEW_PASSWORD

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

PROXY = "127.0.0.9"
"""From which nginx comes, so that it is another one than the doctor."""
FROM = {"proxy_http_version 1.1;": f"proxy_http_version 1.1; proxy_bind {PROXY};"}
KEY = "9f1c7e0ab54d4c1f8a3e6d2b7c905e1184aa6f23d07b4c9e"
SMALL_BODIES = {"client_max_body_size 1m;": "client_max_body_size 100k;"}
SMALL_HEADS = {
    "large_client_header_buffers 4 8k;": "large_client_header_buffers 2 1k; add_header Via '1.1 google' always;",
}
BUFFERED = {"proxy_buffering off;": "proxy_buffering on;"}
HELD = {"proxy_buffering off;": "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;"}
Found = list[Finding]


async def findings(settings: Settings, *urls: str) -> Found:
    return [finding async for finding in examine(urls, settings)]


def wrong(found: Found) -> set[str]:
    return {one.check for one in found if one.verdict in (Verdict.FAILED, Verdict.WARNING)}


def of(found: Found, check: str) -> str:
    """What is said of the check; of several the worst."""
    order = [Verdict.FAILED, Verdict.WARNING, Verdict.SKIPPED, Verdict.OK]
    return str(min((one for one in found if one.check == check), key=lambda one: order.index(one.verdict)))


@pytest.fixture
async def keyed(settings: Settings, seed: Seed, connection: rows.Connection) -> Settings:
    """With a key made by chance; the demo's password, which the seed's users have, is nobody's."""
    await connection.execute("UPDATE app_user SET password_hash = $1", rows.QUICK.hash(NEW_PASSWORD))
    return settings.model_copy(
        update={"secret_keys": (SecretStr(KEY),), "trusted_proxies": (PROXY,), "metrics_token": SecretStr(KEY)}
    )


@contextmanager
def replicas(settings: Settings, folder: Path, *each: dict[str, str]) -> Iterator[list[Serving]]:
    """One for each, with what its environment has more. They start beside each other."""

    def started(number: int, more: dict[str, str]) -> AbstractContextManager[Serving]:
        own = {"TRUSTED_PROXIES": PROXY, "REPLICA": f"r{number}"} | more
        log = folder / f"replica-{number}"
        return serving(TICKET_HOME, "serve", environment=environment(settings) | own, log=log)

    with ExitStack() as held, ThreadPoolExecutor() as threads:
        yield list(threads.map(lambda given: held.enter_context(started(*given)), enumerate(each)))


@contextmanager
def nginx(folder: Path, served: list[Serving], changes: dict[str, str]) -> Iterator[Balancer]:
    folder.mkdir(exist_ok=True)
    with balancer("nginx", folder / "nginx", [one.port for one in served], FROM | changes) as found:
        yield found


async def test_a_service_in_order_and_then_with_a_replica_that_hangs(keyed: Settings, tmp_path: Path) -> None:
    with replicas(keyed, tmp_path, *[{"METRICS_TOKEN": KEY}] * 2) as served, nginx(tmp_path, served, {}) as before:
        found = await findings(keyed, before.url, served[0].url)
        assert wrong(found) == set(), [str(one) for one in found]
        checks = {"Replicas", "Releases", "Version maps", "Sizes", "Streams", "Keep-alive", "Clients' addresses"}
        assert {one.check for one in found} == checks | {"Demo logins", "Clocks", "Certificates", "Secret keys"}
        assert "r0, r1" in of(found, "Releases"), "both were met"
        assert "own" in of(found, "Clients' addresses"), "behind a proxy, too"
        found = await findings(keyed.model_copy(update={"metrics_token": None}), served[0].url)
        assert (wrong(found), "METRICS_TOKEN" in of(found, "Releases")) == (set(), True)
        hung = served[1].process.pid
        os.kill(hung, signal.SIGSTOP)
        try:
            for url in (before.url, served[1].url):
                found = await findings(keyed, url)
                assert "Replicas" in wrong(found)
                assert "no answer within 3 s" in of(found, "Replicas")
            # As an operator runs it, without the service's environment.
            told = await asyncio.to_thread(run, environment(), "doctor", "--service", served[1].url)
            assert (told.returncode, "only the service is asked" in told.stdout) == (1, True), told.stderr
            assert "does not answer" in told.stdout
        finally:
            os.kill(hung, signal.SIGCONT)


async def test_a_worker_that_is_stopped_before_it_serves_is_told(keyed: Settings, tmp_path: Path) -> None:
    """Nobody waits for it, and nobody ends it: the others take every connection."""
    with workers(keyed.model_copy(update={"metrics_token": None}), 2, tmp_path / "log") as served:
        await until(lambda: len(worker_pids(served)) == 2 and workers_missing(served) == 0)
        before = worker_pids(served)
        os.kill(before[0], signal.SIGKILL)
        # The new one is caught while it imports, a second or more before it could be connected to.
        await until(lambda: bool({*worker_pids(served)} - {*before}))
        (late,) = {*worker_pids(served)} - {*before}
        os.kill(late, signal.SIGSTOP)
        try:
            found = await findings(keyed.model_copy(update={"metrics_token": None}), served.url)
            assert "State" in wrong(found), [str(one) for one in found]
            assert "serves nobody yet" in of(found, "State")
        finally:
            os.kill(late, signal.SIGCONT)
        await until(lambda: workers_missing(served) == 0)


def workers_missing(served: Serving) -> float:
    told = httpx.get(f"{served.url}/metrics", timeout=20).text
    return float(told.split("\nticket_home_workers_missing ")[1].split()[0])


async def test_all_that_is_set_wrong_is_told_with_what_to_do(
    settings: Settings, seed: Seed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two releases, the demo's logins, a key that somebody thought of; a proxy that lets little through, whose
    certificate ends tomorrow, and whose clients may say who they are."""
    monkeypatch.setattr("deploy.certificates.VALID", timedelta(days=1))
    believing = {"TRUSTED_PROXIES": "*"}
    settings = settings.model_copy(update={"secret_keys": (SecretStr("thought-of-by-somebody"),)})
    with replicas(settings, tmp_path, believing, believing | {"TICKET_HOME_BUILD": "next"}) as served:
        with nginx(tmp_path / "heads", served, SMALL_HEADS) as before:
            found = await findings(settings, before.url)
        with nginx(tmp_path / "bodies", served, SMALL_BODIES) as before:
            body = await look_at_limits(Service(before.url))
        with nginx(tmp_path / "held", served, HELD) as before:
            held = await look_at_streams(Service(before.url))
        with nginx(tmp_path / "asked", served, BUFFERED) as before:
            asked = await look_at_streams(Service(before.url))
    checks = {"Releases", "Sizes", "Keep-alive", "Demo logins", "Certificates", "Secret keys", "Clients' addresses"}
    assert wrong(found) == checks, [str(one) for one in found]
    assert "+next on r1" in of(found, "Releases")
    assert "a head of" in of(found, "Sizes")
    assert "a body of" in str(body)
    assert (held.verdict, "/v1/exports/" in str(held)) == (Verdict.FAILED, True)
    assert asked.verdict is Verdict.OK, "nginx buffers by itself, but for answers that ask it not to"
    assert "620" in of(found, "Keep-alive")
    assert "superuser" in of(found, "Demo logins")
    assert "renew it now" in of(found, "Certificates")
    assert "may say which address" in of(found, "Clients' addresses")


async def test_one_that_has_lost_its_database_and_one_that_takes_its_proxy_for_the_client(
    keyed: Settings, database_url: str, tmp_path: Path
) -> None:
    trusting_nobody = {"TRUSTED_PROXIES": ""}
    async with WireProxy(database_url) as wire:
        cut_off = {"DATABASE_URL": wire.url} | trusting_nobody
        with ExitStack() as held:
            # In a thread: what stands between a replica and its database runs in this one.
            started = replicas(keyed, tmp_path, trusting_nobody, cut_off)
            served = await asyncio.to_thread(held.enter_context, started)
            before = held.enter_context(nginx(tmp_path, served, {}))
            wire.is_silent = True
            found: Found = []

            async def is_told() -> bool:
                found[:] = await findings(keyed.model_copy(update={"trusted_proxies": ()}), before.url)
                return {"Replicas", "Version maps", "State", "Clients' addresses"} <= wrong(found)

            await until(is_told)
    assert "disagree" in of(found, "Replicas")
    assert "cache lease age" in of(found, "Version maps")
    assert "r1" in of(found, "State")
    assert f"took {PROXY} for this machine" in of(found, "Clients' addresses")
