"""PATCH /v1/tickets/{id}: bed, location, episode."""

from typing import Any

import pytest

from tests.factories.fixtures import Seed

BED = {"bed_number": "12B"}
EPISODE = {"episode_id": "E-1"}


def placed(ticket: dict[str, Any]) -> tuple[Any, ...]:
    return ticket["bed_number"], ticket["location"], ticket["episode_id"]


async def test_an_absent_field_stays_and_null_clears(nurse: Any, seed: Seed) -> None:
    ticket = await nurse.create(location="Piso 3")
    answer = await nurse.send("PATCH", ticket, body=BED | EPISODE)
    after = answer.json()
    assert placed(after) == ("12B", "Piso 3", "E-1")
    assert after["revision"] == 2
    assert after["history"][-1]["changes"] == {"bed_number": [None, "12B"], "episode_id": [None, "E-1"]}
    # The board shows it; the dashboard's figures do not count beds.
    assert "/tickets=" in answer.headers["Cache-Version"]
    assert "/figures=" not in answer.headers["Cache-Version"]
    after = await nurse.done("PATCH", after, body={"bed_number": None})
    assert placed(after) == (None, "Piso 3", "E-1")


@pytest.mark.parametrize("body", [{}, {"location": None}])
async def test_what_changes_nothing_leaves_no_trace(nurse: Any, body: dict[str, Any]) -> None:
    ticket = await nurse.create()
    after = await nurse.done("PATCH", ticket, body=body)
    assert (after["revision"], after["history"]) == (1, ticket["history"])


@pytest.mark.parametrize("body", [BED, EPISODE, {}])
async def test_an_annulled_ticket_takes_nothing(nurse: Any, refusal: Any, body: dict[str, Any]) -> None:
    ticket = await nurse.annul(await nurse.create())
    assert refusal(await nurse.send("PATCH", ticket, body=body))[:2] == (409, "ticket_not_active")


@pytest.mark.parametrize("body", [BED, BED | EPISODE, {"location": "Piso 3"}])
async def test_an_overdue_one_takes_all_and_a_discharged_one_only_the_episode(
    nurse: Any, refusal: Any, body: dict[str, Any]
) -> None:
    overdue = await nurse.done("PATCH", await nurse.create("overdue"), body=body)
    assert {name: overdue[name] for name in body} == body
    overdue = await nurse.done("PATCH", overdue, body=EPISODE)
    assert overdue["episode_id"] == "E-1"
    await nurse.done("PATCH", overdue, body={"episode_id": None})
    discharged = await nurse.discharge(await nurse.create("overdue"))
    assert refusal(await nurse.send("PATCH", discharged, body=body))[:2] == (409, "ticket_not_active")
    assert placed(await nurse.done("PATCH", discharged, body=EPISODE)) == (None, None, "E-1")
