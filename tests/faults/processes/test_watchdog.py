"""An event loop that does not come round: its process ends and tells where it was, and the master starts another."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from api.server.watchdog import LOOKS, ROUND, WAKE_UPS
from core.settings import Settings
from tests.faults.processes.hanging_service import HANGS, await_what_is_done
from tests.support.machine import PATIENCE, until
from tests.support.processes.commands import environment
from tests.support.processes.services import Serving, serving, worker_pids

ROOT = Path(__file__).parents[3]
STOPPED = 2 * max(WAKE_UPS * ROUND, LOOKS * 0.5)
"""Seconds, twice what a process has that nobody stopped."""
WAYS = [*HANGS, await_what_is_done.__name__]
pytestmark = pytest.mark.long


@contextmanager
def hanging(settings: Settings, workers: int, log: Path | None) -> Iterator[Serving]:
    command = (sys.executable, "-m", "tests.faults.processes.hanging_service", "serve", "--workers", str(workers))
    with serving(*command, environment=environment(settings), cwd=ROOT, log=log) as served:
        yield served


async def hang(served: Serving, how: str) -> None:
    """Ask a route that hangs its worker's loop, and wait until the connection ends."""
    async with httpx.AsyncClient(base_url=served.url, timeout=PATIENCE) as client:
        with suppress(httpx.TransportError):
            await client.get(how)


async def answers(served: Serving) -> bool:
    async with httpx.AsyncClient(base_url=served.url, timeout=PATIENCE) as client:
        return (await client.get("/livez")).status_code == 200


def is_replaced(served: Serving, before: set[int]) -> bool:
    """Whether there are as many workers again, and one of them is new."""
    now = set(worker_pids(served))
    return len(now) == len(before) and len(now & before) == len(before) - 1


@pytest.mark.parametrize("how", WAYS)
async def test_a_worker_that_hangs_is_ended_and_replaced(settings: Settings, tmp_path: Path, how: str) -> None:
    log = tmp_path / "log"
    with hanging(settings, 2, log) as served:
        before = set(worker_pids(served))
        asking = asyncio.create_task(hang(served, f"/hang/{how}"))
        await until(lambda: is_replaced(served, before))
        await asking
        assert await answers(served)
    lines = log.read_text()
    assert f" in {how}\n" in lines, "its stack"
    assert '"event":"worker ended"' in lines
    assert f'"exit_code":{-signal.SIGPROF}' in lines


@pytest.mark.parametrize("how", [way for way in WAYS if way != "wait_in_c"])
async def test_one_worker_alone_that_hangs_ends(settings: Settings, tmp_path: Path, how: str) -> None:
    """For whoever supervises. Not where it holds the interpreter's lock and uses no CPU: only a master sees that."""
    log = tmp_path / "log"
    with hanging(settings, 1, log) as served:
        asking = asyncio.create_task(hang(served, f"/hang/{how}"))
        await until(lambda: served.process.poll() is not None)
        await asking
        assert served.process.returncode == -signal.SIGPROF
    assert f" in {how}\n" in log.read_text(), "its stack"


@pytest.mark.parametrize("count", [1, 2])
async def test_a_process_that_was_stopped_and_goes_on_is_not_hung(
    settings: Settings, tmp_path: Path, count: int
) -> None:
    with hanging(settings, count, tmp_path / "log") as served:
        before = worker_pids(served) if count > 1 else [served.process.pid]
        for pid in before:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(STOPPED)
        for pid in before:
            os.kill(pid, signal.SIGCONT)
        assert await answers(served)
        # As long again as a hung one would have had: whatever noticed late would have ended it by now.
        await asyncio.sleep(STOPPED / 2)
        assert await answers(served)
        assert (worker_pids(served) if count > 1 else [served.process.pid]) == before
        assert served.process.poll() is None


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("how", [f"/hang/{way}" for way in ("spin_in_python", "spin_in_c", "sleep")])
async def test_sigterm_ends_a_service_whose_loop_hangs(
    settings: Settings, tmp_path: Path, count: int, how: str
) -> None:
    with hanging(settings, count, tmp_path / "log") as served:
        asking = [asyncio.create_task(hang(served, how)) for _ in range(4)]
        # So that every worker hangs: one that does cannot be asked.
        await asyncio.sleep(1)
        served.process.send_signal(signal.SIGTERM)
        await until(lambda: served.process.poll() is not None)
        await asyncio.gather(*asking)


@pytest.mark.parametrize("count", [1, 2])
async def test_sigterm_ends_a_service_whose_shutdown_never_ends(settings: Settings, tmp_path: Path, count: int) -> None:
    log = tmp_path / "log"
    with hanging(settings, count, log) as served:
        for _ in range(8 * count):
            await hang(served, "/hang-at-the-end")
        served.process.send_signal(signal.SIGTERM)
        await until(lambda: served.process.poll() is not None)
    assert "it is not over 9 s after it was told to end" in log.read_text()


async def test_sigterm_ends_a_service_of_which_a_worker_is_stopped(settings: Settings, tmp_path: Path) -> None:
    with hanging(settings, 2, tmp_path / "log") as served:
        os.kill(worker_pids(served)[0], signal.SIGSTOP)
        served.process.send_signal(signal.SIGTERM)
        await until(lambda: served.process.poll() is not None)
    assert '"event":"worker killed"' in (tmp_path / "log").read_text()


async def test_a_service_whose_log_nobody_reads_any_more_answers_on(settings: Settings) -> None:
    """Some 300 lines of requests fill a pipe."""
    with hanging(settings, 1, None) as served:
        async with httpx.AsyncClient(base_url=served.url, timeout=PATIENCE) as client:
            for _ in range(1000):
                assert (await client.get("/v1/dashboard")).status_code == 401


async def test_a_service_that_waits_for_who_reads_its_log_ends_and_does_not_hang(settings: Settings) -> None:
    """Its loop waits for room in a pipe, and so would the stacks."""
    with hanging(settings, 1, None) as served:
        await hang(served, "/hang-where-nobody-reads-the-log")
        await until(lambda: served.process.poll() is not None)
        assert served.process.returncode in (-signal.SIGPROF, -signal.SIGALRM)


async def test_how_long_a_loop_was_held_up_is_a_metric(settings: Settings, tmp_path: Path) -> None:
    """Not so long that it is ended."""

    def longest() -> float:
        lines = httpx.get(f"{served.url}/metrics", timeout=PATIENCE).text.splitlines()
        return max(float(line.split()[1]) for line in lines if line.startswith("ticket_home_event_loop_lag_seconds "))

    with hanging(settings, 1, tmp_path / "log") as served:
        os.kill(served.process.pid, signal.SIGSTOP)
        # As long as it stands still.
        await asyncio.sleep(2 * ROUND)
        os.kill(served.process.pid, signal.SIGCONT)
        await until(lambda: longest() > ROUND / 2)
