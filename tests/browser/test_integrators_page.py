"""docs/integrators.md: its programs, as they stand there, against the real service."""

import asyncio
import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from api.problems import TITLES
from core.settings import Settings
from tests.browser.conftest import Opened, Site
from tests.clients.toolchains import installed_node, node_from_wheel
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed
from tests.support import machine
from tests.support.processes import commands
from tests.support.processes.services import Serving, serving
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import bearer

PAGE = (commands.ROOT / "docs" / "integrators.md").read_text()
FILES = dict(re.findall(r"^`([\w.]+)`[^\n]*\n(?:[^\n]+\n)*\n```(?:html|js|python)\n(.*?)^```", PAGE, re.M | re.S))
DISTURBED = Path(__file__).with_name("disturbed.mjs")

pytestmark = pytest.mark.long


def written(folder: Path, *names: str) -> Path:
    """The folder, with those programs of the page in it."""
    for name in names:
        (folder / name).write_text(FILES[name])
    return folder


def given(site_url: str, user: str, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TICKET_HOME_URL": site_url, "TICKET_HOME_USER": user, **more}


def test_the_page_names_what_there_is() -> None:
    named = set(re.findall(r"\b[45]\d\d `(\w+)`", PAGE)) | set(re.findall(r'code === "(\w+)"', PAGE))
    assert named - set(TITLES) == set()
    assert set(FILES) == {"ward.html", "ward.js", "ward.mjs", "shift.mjs", "nightly.py"}
    assert PAGE.count("```") == 2 * (len(FILES) + 1), "a block that no test runs, but that of generated clients"


async def test_the_page_in_the_browser(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection
) -> None:
    page: Page = await opened("/livez")
    held = asyncio.Event()
    held.set()

    async def own(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        kind = "text/html" if name.endswith("html") else "text/javascript"
        await route.fulfill(body=FILES[name], content_type=kind)

    async def slow(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/ward.*", own)
    await page.route("**/v1/nursing-board*", slow)
    await page.goto("/ward.html")
    await expect(page.get_by_role("status")).to_have_text("Sign in.")
    await page.get_by_label("User name").fill(clinic.clinical)
    await page.get_by_label("Password").fill("a guess")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("alert")).not_to_be_empty()
    await page.route("**/v1/events", lambda route: route.abort())
    await page.get_by_label("Password").fill(rows.PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text("Reconnecting: this may be old.")
    await page.unroute("**/v1/events")
    await expect(page.get_by_role("status")).to_have_text(f"{len(ward)} tickets")
    row = page.locator(f"#{ward[0]}")

    await there.execute("UPDATE ticket SET bed_number = '77' WHERE id = $1", ward[0])
    await expect(row).to_contain_text("bed 77")

    held.clear()  # the page does not know yet what somebody else writes
    await there.execute("UPDATE ticket SET bed_number = '78', revision = revision + 1 WHERE id = $1", ward[0])
    await row.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_contain_text("look again")
    held.set()
    await expect(row).to_contain_text("bed 78")
    await row.get_by_role("button").click()
    await expect(row.get_by_role("button")).to_have_count(0)
    await expect(row).to_contain_text("discharged")

    await there.execute(
        "DELETE FROM user_session WHERE user_id = (SELECT id FROM app_user WHERE username = $1)", clinic.clinical
    )
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await expect(page.get_by_role("listitem")).to_have_count(0)


async def test_the_app_on_a_phone(site: Site, clinic: ClinicSeed, tmp_path: Path) -> None:
    node = installed_node() or node_from_wheel()
    app = await asyncio.create_subprocess_exec(
        node.program, "--import", str(DISTURBED), "shift.mjs",
        cwd=written(tmp_path, "ward.mjs", "shift.mjs"), env=given(site.url, clinic.clinical),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert app.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(machine.PATIENCE):
            async for line in app.stdout:
                lines.append(line.decode().rstrip())
                if lines[-1] == "bed 12B":
                    await annulled(site, clinic, lines[1].split()[0])
            code = await app.wait()
    finally:
        if app.returncode is None:
            app.kill()
            await app.communicate()
    assert code == 0, lines
    ticket, _, rest = lines[1].partition(" goes home at ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00-0[34]:00, said twice", rest)
    assert lines[0] == "signed in as clinical"
    assert lines[2:4] == ["somebody wrote bed 9A meanwhile", "bed 12B"]
    assert set(lines[4:-1]) <= {f"{ticket} is active"}
    assert lines[-1] == f"{ticket} is annulled"


async def annulled(site: Site, clinic: ClinicSeed, ticket: str) -> None:
    """By somebody else."""
    headers = await asyncio.to_thread(bearer, site.url, clinic.admin)
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=machine.PATIENCE) as admin:
        etag = (await admin.get(f"/v1/tickets/{ticket}")).headers["etag"]
        reason = {"reason_id": clinic.annulment_reason_id}
        answer = await admin.post(f"/v1/tickets/{ticket}/annulment", json=reason, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text


@asynccontextmanager
async def behind(proxy: WireProxy, site: Site, log: Path) -> AsyncIterator[Serving]:
    """A service like the site's, whose PostgreSQL is behind the proxy."""
    settings: Settings = site.settings.model_copy(update={"cache_prefix": "nightly"})
    environment = commands.environment(settings, DATABASE_URL=proxy.url, EXPORT_LIMIT="2/hour")
    starting = serving(commands.TICKET_HOME, "serve", "--workers", "1", environment=environment, log=log)
    serves = await asyncio.to_thread(starting.__enter__)
    try:
        yield serves
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


async def test_the_job_at_night(site: Site, clinic: ClinicSeed, ward: list[str], tmp_path: Path) -> None:
    written(tmp_path, "nightly.py")
    log = tmp_path / "log"
    async with WireProxy(site.database_url) as proxy, behind(proxy, site, log) as service:
        environment = given(service.url, clinic.viewer, TICKET_HOME_FOLDER=str(tmp_path))
        for night in (1, 2):
            job = await asyncio.create_subprocess_exec(
                sys.executable, "nightly.py", cwd=tmp_path, env=environment,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said = (await job.communicate())[0].decode()
            assert job.returncode == 0, said
            assert said.splitlines() == ["1 surgeries", "4 late by more than an hour", "12 active tickets"], night
        # A thread writes the log.
        await machine.until(lambda: answers(log, "/v1/surgeries") == [200, 304])

        nightly = loaded(tmp_path / "nightly.py")
        nightly.time = clock = Hurry()
        job_of_the_day = nightly.TicketHome(service.url, tmp_path)
        await asyncio.to_thread(job_of_the_day.sign_in, clinic.viewer, rows.PASSWORD)
        with pytest.raises(nightly.Refused) as refused:
            await asyncio.to_thread(job_of_the_day.export, tmp_path / "third.csv")
        assert refused.value.code == "too_many_attempts"
        assert not (tmp_path / "third.csv").exists()

        (tmp_path / "v1-surgeries.json").unlink()
        async with proxy.away(), httpx.AsyncClient(headers=job_of_the_day.client.headers) as looking:

            async def is_stale() -> bool:
                return "fwd=stale" in (await looking.get(f"{service.url}/v1/surgeries")).headers["cache-status"]

            await machine.until(is_stale)
            asked = [
                asyncio.create_task(asyncio.to_thread(job_of_the_day.read, "/v1/surgeries")),
                asyncio.create_task(asyncio.to_thread(list, job_of_the_day.pages("/v1/tickets", limit=5))),
            ]
            await machine.until(lambda: clock.waiting == {"read", "ask"})
        surgeries, tickets = await asyncio.gather(*asked)
        assert [one["id"] for one in surgeries["items"]] == [clinic.surgery_id]
        assert {one["id"] for one in tickets} == set(ward)
        await asyncio.to_thread(job_of_the_day.sign_out)


def answers(log: Path, route: str) -> list[int]:
    """The statuses that the service answered there."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    return [line["status"] for line in lines if line.get("route") == route]


class Hurry:
    """A clock by which the job waits no longer than it has to, and that knows what in it waits."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self.monotonic = time.monotonic

    def sleep(self, seconds: float) -> None:
        self.waiting.add(sys._getframe(1).f_code.co_name)
        time.sleep(0.1)


def loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("nightly", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
