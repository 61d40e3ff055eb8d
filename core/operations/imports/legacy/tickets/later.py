"""Tickets that an earlier run brought: what has changed there since is taken over where nobody has touched them here.

Where both sides changed, the ticket stays as it is here and is reported, and so is what hangs on it there: a history
that says "annulled" beside a ticket that is active would help nobody.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from core.clock import shown
from core.db.bulk_copy import copy
from core.operations.imports.legacy.context import ClinicHere, Run
from core.operations.imports.legacy.tickets.row import MadeTicket

TABLE = "ticket"
IMPORT = "(import)"
"""Who did it, in the audit; no user has a name with parentheses."""
AUDIT_COLUMNS = ["at", "user_id", "username", "clinic_id", "action", "target_type", "target_id", "changes"]
TAKEN = (
    *("patient_id", "surgery_id", "doctor_id", "surgery_name", "surgery_base_hours", "surgery_at", "admission_at"),
    *("system_fpa", "initial_fpa", "current_fpa", "overnight_stays", "initial_overnight_stays"),
    *("bed_number", "location", "episode_id", "status", "discharged_at", "discharge_assumed"),
    *("annulled_at", "annulled_by", "annulment_reason"),
)
"""Columns that may change there."""
THERE = """
SELECT t.id, t.clinic_id, t.imported, t.created_at, t.status, t.revision, l.fingerprint, l.revision AS known_revision
FROM ticket t LEFT JOIN legacy_ticket l ON l.id = t.id WHERE t.id = ANY($1)
"""
LOCKED = f"SELECT id, revision, {', '.join(TAKEN)} FROM ticket WHERE id = ANY($1) FOR NO KEY UPDATE"  # noqa: S608
TAKE = f"""
UPDATE ticket SET revision = revision + 1, {", ".join(f"{name} = ${place}" for place, name in enumerate(TAKEN, 2))}
WHERE id = $1
"""  # noqa: S608  names of ours
REMEMBER = """
INSERT INTO legacy_ticket (id, fingerprint, revision) SELECT * FROM unnest($1::text[], $2::uuid[], $3::integer[])
ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, revision = excluded.revision
"""
# Only as they came: whoever has touched one since knows more of the patient than a rule does.
ASSUME = """
UPDATE ticket t SET status = 'discharged', discharged_at = current_fpa, discharge_assumed = true,
    revision = revision + 1
WHERE id = ANY($1) AND imported AND status = 'active' AND current_fpa < $2
    AND revision = coalesce((SELECT l.revision FROM legacy_ticket l WHERE l.id = t.id), 1)
RETURNING id, clinic_id, discharged_at
"""


@dataclass(frozen=True, slots=True)
class Present:
    """A ticket of an earlier run, as the source has it now, and the target's row of THERE."""

    legacy_id: str
    clinic: ClinicHere
    made: MadeTicket
    there: asyncpg.Record

    @property
    def id(self) -> str:
        """In the target."""
        return str(self.there["id"])

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has changed it here since an import wrote it."""
        known = self.there["known_revision"]
        return bool(self.there["revision"] == (1 if known is None else known))


async def take_over(run: Run, tickets: Sequence[Present]) -> None:
    """Write what changed there since the last run to tickets that nobody has touched here; report the others."""
    changed = [one for one in tickets if one.there["fingerprint"] != one.made.fingerprint]
    for one in tickets:
        if one.made.columns["discharge_assumed"] and one.there["fingerprint"] == one.made.fingerprint:
            run.to_assume.append(one.id)
    if not changed:
        return
    rows = await run.target.fetch(LOCKED, [one.id for one in changed if one.is_untouched])
    locked = {row["id"]: row for row in rows}
    known: list[tuple[str, UUID, int]] = []
    taken: list[tuple[Any, ...]] = []
    audits: list[tuple[Any, ...]] = []
    for one in changed:
        here = locked.get(one.id)
        if here is None or here["revision"] != one.there["revision"]:
            _touched(run, one, known)
            continue
        _keep_assumption(run, one, here)
        differs = {name: [here[name], one.made.columns[name]] for name in TAKEN if here[name] != one.made.columns[name]}
        known.append((one.id, one.made.fingerprint, here["revision"] + bool(differs)))
        # Modifications are no columns: a new one may leave them as they are.
        run.tickets_taken.add(one.legacy_id)
        if differs:
            taken.append((one.id, *(one.made.columns[name] for name in TAKEN)))
            audits += _audits(run, one, differs)
            run.report.taken(TABLE, one.legacy_id, "changed there since the last import, and untouched here")
    await run.target.executemany(TAKE, taken)
    await copy(run.target, "action_audit", AUDIT_COLUMNS, audits)
    await remember(run, known)


def _touched(run: Run, one: Present, known: list[tuple[str, UUID, int]]) -> None:
    """Somebody worked with it here. An import of before 0010 does not tell whether there, too, but for annulments."""
    annulled_there = one.made.columns["status"] == "annulled" and one.there["status"] != "annulled"
    if one.there["fingerprint"] is not None or annulled_there:
        run.tickets_apart.add(one.legacy_id)
        run.report.kept(TABLE, one.legacy_id, "changed on both sides: left as it is here")
    else:
        known.append((one.id, one.made.fingerprint, 0))


def _keep_assumption(run: Run, one: Present, here: asyncpg.Record) -> None:
    """An earlier run counted it as discharged, which the source knows nothing of."""
    columns = one.made.columns
    if here["discharge_assumed"] and columns["status"] == "active" and columns["current_fpa"] < run.now:
        columns |= {"status": "discharged", "discharged_at": columns["current_fpa"], "discharge_assumed": True}
    elif columns["discharge_assumed"] and not here["discharge_assumed"]:
        run.assumed += 1
        run.assumed_later += 1


def _audits(run: Run, one: Present, differs: dict[str, list[Any]]) -> Iterable[tuple[Any, ...]]:
    local, clinic_id = one.clinic.local, one.clinic.id

    def plain(value: Any) -> Any:
        return shown(value, local).isoformat() if hasattr(value, "tzinfo") else value

    changes = {name: [plain(value) for value in pair] for name, pair in differs.items()}
    yield audit(run.now, None, IMPORT, clinic_id, "ticket.imported", one.id, changes)
    if "status" in differs:
        yield from status_audits(run, one.id, one.clinic, one.made)


def status_audits(run: Run, ticket_id: str, clinic: ClinicHere, made: MadeTicket) -> Iterable[tuple[Any, ...]]:
    """What the ticket's history says of an annulment, or of a discharge that is assumed."""
    columns = made.columns
    if columns["status"] == "annulled":
        changes = {
            "status": ["active", "annulled"],
            "annulled_at": [None, shown(columns["annulled_at"], clinic.local).isoformat()],
            "annulled_by": [None, columns["annulled_by"]],
            "annulment_reason": [None, columns["annulment_reason"]],
        }
        by = columns["annulled_by"] or "(unknown)"
        yield audit(columns["annulled_at"], made.annulled_by_id, by, clinic.id, "ticket.annulled", ticket_id, changes)
    elif columns["discharge_assumed"]:
        yield _assumed(run, ticket_id, clinic, columns["discharged_at"])


def _assumed(run: Run, ticket_id: str, clinic: ClinicHere, at: Any) -> tuple[Any, ...]:
    changes = {
        "status": ["active", "discharged"],
        "discharged_at": [None, shown(at, clinic.local).isoformat()],
        "discharge_assumed": [False, True],
    }
    return audit(run.now, None, IMPORT, clinic.id, "ticket.discharged", ticket_id, changes)


def audit(
    at: Any, user_id: int | None, username: str, clinic_id: int, action: str, ticket_id: str, changes: dict[str, Any]
) -> tuple[Any, ...]:
    """A row of action_audit, in the order of AUDIT_COLUMNS."""
    encoded = json.dumps(changes, ensure_ascii=False)
    return at, user_id, username, clinic_id, action, "ticket", ticket_id, encoded


async def assume(run: Run) -> None:
    """Mark those tickets of earlier runs as discharged that this run is asked to count so (`Run.to_assume`)."""
    if not run.to_assume:
        return
    rows = await run.target.fetch(ASSUME, run.to_assume, run.overdue_before)
    clinics = {clinic.id: clinic for clinic in run.clinics.values()}
    audits = [_assumed(run, row["id"], clinics[row["clinic_id"]], row["discharged_at"]) for row in rows]
    await copy(run.target, "action_audit", AUDIT_COLUMNS, audits)
    await run.target.execute(
        "UPDATE legacy_ticket SET revision = revision + 1 WHERE id = ANY($1)", [row["id"] for row in rows]
    )
    run.assumed_later += len(rows)
    run.assumed += len(rows)


async def remember(run: Run, known: Sequence[tuple[str, UUID, int]]) -> None:
    """Note of tickets that are there what they were by the source, and which revision they have by this run."""
    if known:
        await run.target.execute(REMEMBER, *map(list, zip(*known, strict=True)))


async def forget_lost(run: Run) -> None:
    """Forget what was remembered of tickets that were deleted here since, so that they are brought anew."""
    await run.target.execute("DELETE FROM legacy_ticket l WHERE NOT EXISTS (SELECT FROM ticket t WHERE t.id = l.id)")
