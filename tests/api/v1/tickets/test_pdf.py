"""GET /v1/tickets/{id}/pdf: the printed ticket, for everybody of the clinic."""

import asyncio
import io
import time
from typing import Any

import pytest
from pypdf import PdfReader

from tests.factories.fixtures import Seed
from tests.support.beat import beating


def text_of(made: bytes) -> str:
    (page,) = PdfReader(io.BytesIO(made)).pages
    return " ".join(page.extract_text().split())


async def test_the_printed_ticket(nurse: Any, sign_in: Any, seed: Seed) -> None:
    ticket = await nurse.modify(await nurse.create())
    viewer = await sign_in(seed.sant.viewer)
    answer = await viewer.get(f"/v1/tickets/{ticket['id']}/pdf")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{ticket["id"]}.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    printed = text_of(answer.content)
    assert "Ana R." in printed
    assert "Rojas" not in printed
    assert "12345678-5" not in printed
    assert ticket["block"]["label"] in printed
    assert ticket["modifications"][0]["reason"] in printed
    assert ticket["surgery"]["name"] in printed


async def test_an_annulled_ticket_says_so(nurse: Any) -> None:
    ticket = await nurse.annul(await nurse.create())
    answer = await nurse.client.get(f"/v1/tickets/{ticket['id']}/pdf")
    assert "ANULADO" in text_of(answer.content)


async def test_who_may_not(nurse: Any, foreign_admin: Any, superuser: Any, client: Any) -> None:
    ticket = await nurse.create()
    path = f"/v1/tickets/{ticket['id']}/pdf"
    assert (await client.get(path)).status_code == 401
    for unknown in (path, "/v1/tickets/TH-SANT-2025-999/pdf", "/v1/tickets/x/pdf", path + "?paper=a4"):
        answer = await foreign_admin.client.get(unknown)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await nurse.client.get(path + "?paper=a4")).status_code == 422
    assert (await superuser.client.get(path)).status_code == 200


@pytest.mark.alone
async def test_a_ward_that_prints_at_once_holds_nobody_up(nurse: Any) -> None:
    ticket = await nurse.create()
    path = f"/v1/tickets/{ticket['id']}/pdf"
    async with beating() as pauses:
        began = time.monotonic()
        answers = await asyncio.gather(*(nurse.client.get(path) for _ in range(20)))
        took = time.monotonic() - began
    printed = {text_of(answer.content).partition("Impreso")[0] for answer in answers}
    assert len(printed) == 1
    assert max(pauses) < took / 2
