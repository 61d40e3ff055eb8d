"""`ticket-home serve`, as processes: whatever ends it, nothing is left behind, and it starts again."""

import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis

from api.cli.installation import local_secret
from core.settings.safe import DEMO_PASSWORD
from tests.support.machine import wait_until
from tests.support.processes.commands import TICKET_HOME, environment, refused, run
from tests.support.processes.services import Serving, serving
from tests.support.processes.state import family, gone_within

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc")

KILLED_WITHIN = 2.0
ENDED_WITHIN = 10.0
AT_ONCE = 0.5
"""Python's own resource tracker ends when it sees that its process has ended, not before."""


@contextmanager
def served(folder: Path, *options: str, **more: str) -> Iterator[Serving]:
    with serving(
        TICKET_HOME, "serve", "--data-dir", str(folder), *options, environment=environment(None, **more)
    ) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "Clínica Ñandú data"


@pytest.mark.long
def test_kill_9_ends_workers_and_servers_and_it_starts_again(folder: Path) -> None:
    with served(folder, "--workers", "2") as one:
        running = family(one.process.pid)
        names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in running}
        assert {"postgres", "valkey-server"} <= names
        one.process.kill()
        one.process.wait()
        gone_within(KILLED_WITHIN, running)
    with served(folder) as again:
        assert httpx.get(f"{again.url}/readyz").status_code == 200


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_ctrl_c_leaves_nothing_and_is_no_failure(folder: Path, workers: str) -> None:
    with served(folder, "--workers", workers) as one:
        running = family(one.process.pid)
        os.killpg(one.process.pid, signal.SIGINT)
        assert one.process.wait(timeout=ENDED_WITHIN) == 0
        gone_within(AT_ONCE, running)


def test_sigterm_ends_it_in_good_order(folder: Path) -> None:
    with served(folder) as one:
        running = family(one.process.pid)
        for number in range(20):
            httpx.get(f"{one.url}/v1/auth/me", headers={"X-Request-ID": f"asked-{number}"})
        one.process.terminate()
        output = one.process.communicate(timeout=ENDED_WITHIN)[0]
        assert one.process.returncode == 0
        answered = [json.loads(line)["request_id"] for line in output.splitlines() if '"route":"/v1/auth/me"' in line]
        assert answered == [f"asked-{number}" for number in range(20)], "a line for each request, the last ones too"
        gone_within(AT_ONCE, running)
        assert "Traceback" not in output
        # The servers went in good order, too.
        assert "database system is shut down" in (folder / "postgres.log").read_text()


@pytest.mark.long
def test_it_ends_with_make(folder: Path) -> None:
    """`exec` as in the Makefile: between make and it is no shell."""
    script = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    make = (sys.executable, "-c", script, TICKET_HOME)
    command = (*make, "serve", "--data-dir", str(folder), "--end-with-parent")
    with serving(*command, environment=environment()) as one:
        running = family(one.process.pid)
        one.process.kill()
        one.process.wait()
        gone_within(KILLED_WITHIN, running)


@pytest.mark.long
def test_the_second_on_one_port_says_so_and_harms_nobody(folder: Path) -> None:
    with served(folder) as one:
        second = run(environment(), "serve", "--data-dir", folder, "--port", one.port)
        assert f"port {one.port} of 127.0.0.1 is in use" in refused(second)
        assert httpx.get(f"{one.url}/readyz").status_code == 200


@pytest.mark.long
@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_one_on_the_folder_takes_its_servers_over_when_the_first_ends(
    folder: Path, way: signal.Signals, workers: str
) -> None:
    with served(folder, "--demo") as first, served(folder, "--workers", workers) as second:
        login = {"username": "superuser", "password": DEMO_PASSWORD, "client": "mobile"}
        token = httpx.post(f"{first.url}/v1/auth/login", json=login, timeout=20).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{second.url}/v1/clinics", headers=headers, timeout=20).status_code == 200
        first.process.send_signal(way)
        first.process.wait(20)

        def answers(url: str) -> bool:
            # Of the database itself: nothing is cached of it.
            return httpx.get(f"{url}/v1/tickets", headers=headers, timeout=20).status_code == 200

        wait_until(lambda: answers(second.url))
        # And a third one joins what the second has started.
        with served(folder) as third:
            wait_until(lambda: answers(third.url))
        wait_until(lambda: answers(second.url))
        running = family(second.process.pid)
        assert {"postgres", "valkey-server"} <= {Path(f"/proc/{pid}/comm").read_text().strip() for pid in running}
        second.process.send_signal(signal.SIGTERM)
        second.process.wait(20)
        gone_within(ENDED_WITHIN, running)


@pytest.mark.long
def test_only_the_server_that_is_not_configured_is_started(folder: Path, redis_url: str) -> None:
    with served(folder, REDIS_URL=redis_url) as one:
        names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in family(one.process.pid)}
        assert "postgres" in names
        assert "valkey-server" not in names
        assert httpx.get(f"{one.url}/readyz").json()["redis"] == "ok"


@pytest.mark.long
def test_given_servers_are_migrated_locally_and_outlive_it(
    folder: Path, empty_database_url: str, redis_url: str
) -> None:
    with served(folder, DATABASE_URL=empty_database_url, REDIS_URL=redis_url) as one:
        assert httpx.get(f"{one.url}/readyz").status_code == 200
        assert {path.name for path in folder.iterdir()} == {"secret"}
        one.process.terminate()
        assert one.process.wait(timeout=ENDED_WITHIN) == 0
    assert redis.Redis.from_url(redis_url).ping()


def test_demo_fills_tells_the_logins_and_they_work(folder: Path) -> None:
    with served(folder, "--demo", LOG_FORMAT="console") as one:
        with httpx.Client(base_url=one.url) as client:
            body = {"username": "admin_sant", "password": "ticket-home-demo", "client": "mobile"}
            assert client.post("/v1/auth/login", json=body).status_code == 200
        one.process.terminate()
        output = one.process.communicate(timeout=ENDED_WITHIN)[0]
    for shown in (one.url, f"{one.url}/docs", "superuser", "admin_sant", "ticket-home-demo"):
        assert shown in output


def test_the_secret_is_the_data_folders_own_and_stays(folder: Path, tmp_path: Path) -> None:
    made = local_secret(folder)
    assert len(made) >= 32
    assert local_secret(folder) == made
    assert local_secret(tmp_path / "another") != made
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert {path.name for path in folder.iterdir()} == {"secret"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, "Connect call failed"),
        ({"SESSION_IDLE_SECONDS": "soon"}, "SESSION_IDLE_SECONDS"),
    ],
)
def test_what_an_operator_can_put_right_is_told_in_a_sentence(
    folder: Path, settings: dict[str, str], expected: str
) -> None:
    done = run(environment(None, REDIS_URL="redis://127.0.0.1:9", **settings), "migrate", "--data-dir", folder)
    assert done.returncode == 1
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
