"""Bringing users over, found again by user name. Who can sign in there can here, with no more rights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.access import Role
from core.operations.imports.legacy.context import Newcomers, Run
from core.operations.imports.legacy.people.names import TakenNames
from core.operations.imports.legacy.people.passwords import hashed
from core.operations.imports.legacy.values import fitting, instant_utc, role_of, text, yes

TABLE = "user"
NOBODY = "nobody has this email: make the account by ticket-home user create, if somebody is to have it"


@dataclass(slots=True)
class Newcomer:
    legacy_id: int
    key: str
    username: str
    email: str
    role: Role
    clinic_id: int | None
    is_active: bool
    created_at: Any
    password: str | None


async def bring_users(run: Run) -> None:
    """Users, found again by user name, with the rights that they have there. Counts and findings go to `run.report`."""
    rows = await run.source.all(TABLE)
    superusers = await run.source.all("superuser")
    await run.fold.learn(text(row[column]) for row in rows for column in ("username", "email"))
    await run.fold.learn(text(row["email"]) for row in superusers)
    listed = {run.fold(email): row["id"] for row in superusers if (email := text(row["email"]))}
    there = await run.target.fetch(
        "SELECT id, lower(username) AS name, lower(email) AS email, clinic_id, role FROM app_user ORDER BY id"
    )
    names = TakenNames(there)
    known = {row["id"] for row in there}
    newcomers = []
    # Of two whose names differ in case only, the one who works here keeps it.
    for row in sorted(rows, key=lambda row: (not yes(row["is_active"]), row["id"])):
        run.report.of(TABLE).read += 1
        found = _decide(run, row, names, listed)
        if isinstance(found, Newcomer):
            newcomers.append(found)
        elif found is not None:
            _know(run, row, found)
    passwords = [(one.legacy_id, one.password or "") for one in newcomers]
    hashes = await hashed(run.report, passwords, [str(row["password"]) for row in rows if row["password"] is not None])
    new = Newcomers(run.target, "app_user", "username email password_hash role clinic_id is_active created_at")
    by_id = {row["id"]: row for row in rows}
    for one, password_hash in zip(newcomers, hashes, strict=True):
        user_id = await new.add(
            *(one.username, one.email, password_hash, one.role.value, one.clinic_id, one.is_active, one.created_at)
        )
        run.report.of(TABLE).imported += 1
        run.memory.add("app_user", one.legacy_id, one.key, user_id)
        _know(run, by_id[one.legacy_id], user_id)
    await new.store()
    _report_superusers(run, rows, superusers, known)
    run.advance(len(rows))


def _know(run: Run, row: asyncpg.Record, user_id: int) -> None:
    run.users[row["id"]] = user_id
    clinic = run.clinics.get(row["clinic_id"])
    if clinic is not None:
        run.user_clinics[row["id"]] = clinic.id
    username, email = text(row["username"]), text(row["email"])
    run.usernames[row["id"]] = username or email or ""
    for name in (email, username):
        if name:
            # As it is written, and else in any case: of two that differ in case only, the first.
            run.users_by_name[name] = user_id
            run.users_by_name.setdefault(name.lower(), user_id)


def _decide(run: Run, row: asyncpg.Record, names: TakenNames, listed: dict[str, int]) -> Newcomer | int | None:
    """Who the user is here: new, somebody's id, or None where refused."""
    report, legacy_id = run.report, row["id"]
    notes: list[str] = []
    written = fitting(row["username"], 80, notes.append) or fitting(row["email"], 80, notes.append)
    if written is None:
        report.refused(TABLE, legacy_id, "without a user name")
        return None
    key = run.fold(written)
    email = text(row["email"])
    role, is_active = role_of(row["role"]), yes(row["is_active"])
    clinic = run.clinics.get(row["clinic_id"])
    if role is Role.SUPERUSER or (row["clinic_id"] is None and email is not None and run.fold(email) in listed):
        role = Role.SUPERUSER
    elif clinic is None:
        report.refused(TABLE, legacy_id, "without a clinic, and no superuser")
        return None
    clinic_id = None if role is Role.SUPERUSER or clinic is None else clinic.id

    known = run.memory.row("app_user", legacy_id, key)
    if known is not None:
        report.of(TABLE).present += 1
        return known
    namesake = names.by_name.get(key)
    if namesake is not None and namesake["id"] not in names.claimed:
        if namesake["clinic_id"] != clinic_id:
            report.refused(TABLE, legacy_id, "somebody else has this user name here")
            return None
        names.claimed.add(namesake["id"])
        report.of(TABLE).present += 1
        if role is not None and namesake["role"] != role.value:
            report.kept(TABLE, legacy_id, "has another role here: left as it is here")
        run.memory.add("app_user", legacy_id, key, namesake["id"])
        return int(namesake["id"])
    if role is Role.SUPERUSER and row["clinic_id"] is not None:
        notes.append("a superuser with a clinic: has none here")
    if role is None:
        notes.append("an unknown role: an inactive viewer here")
        role, is_active = Role.VIEWER, False
    made = Newcomer(
        legacy_id=legacy_id,
        key=key,
        username=names.username(run.fold, row, written, notes),
        email=names.email(run.fold, row, written, notes),
        role=role,
        clinic_id=clinic_id,
        is_active=is_active,
        created_at=instant_utc(row["created_at"]) or run.now,
        password=None if row["password"] is None else str(row["password"]),
    )
    run.repaired(TABLE, legacy_id, notes)
    return made


def _report_superusers(
    run: Run, rows: Sequence[asyncpg.Record], superusers: Sequence[asyncpg.Record], known: set[int]
) -> None:
    """What became of the table of superusers' emails."""
    counts = run.report.of("superuser")
    by_email = {run.fold(email): row for row in rows if (email := text(row["email"]))}
    for row in superusers:
        counts.read += 1
        email = text(row["email"])
        user = by_email.get(run.fold(email)) if email else None
        user_id = run.users.get(user["id"]) if user else None
        if user is None or user_id is None:
            run.report.refused("superuser", row["id"], NOBODY)
        elif user["clinic_id"] is not None and role_of(user["role"]) is not Role.SUPERUSER:
            run.report.refused("superuser", row["id"], "its user has a clinic and another role: keeps both")
        elif user_id in known:
            counts.present += 1
        else:
            counts.imported += 1
    run.advance(len(superusers))
