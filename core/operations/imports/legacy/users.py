"""Users: by user name. Whoever can sign in there can here, with the same password, and with no more rights."""

import asyncio
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.access import Role
from core.operations.imports.legacy.context import Newcomers, Run
from core.operations.imports.legacy.values import fitting, instant_utc, role_of, text, yes
from core.users.legacy_hashes import is_legacy_hash
from core.users.passwords import UNUSABLE, hash_password
from core.users.placeholders import is_placeholder, looks_like_hash

TABLE = "user"
NOBODY = "nobody has this email: make the account by ticket-home user create, if somebody is to have it"
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
LONGEST_HASH = 255
MOST_THREADS = 8
"""Each takes a core and 64 MiB."""


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


class Names:
    """User names and emails that are taken: both are unique, in any case."""

    def __init__(self, there: Sequence[asyncpg.Record]) -> None:
        self.by_name = {row["name"]: row for row in there}
        self.taken = set(self.by_name)
        self.emails = {row["email"] for row in there}
        self.claimed: set[int] = set()
        """Users of the target who are one of the source's."""


async def bring_users(run: Run) -> None:
    rows = await run.source.all(TABLE)
    superusers = await run.source.all("superuser")
    await run.fold.learn(text(row[column]) for row in rows for column in ("username", "email"))
    await run.fold.learn(text(row["email"]) for row in superusers)
    listed = {run.fold(email): row["id"] for row in superusers if (email := text(row["email"]))}
    there = await run.target.fetch(
        "SELECT id, lower(username) AS name, lower(email) AS email, clinic_id, role FROM app_user ORDER BY id"
    )
    names = Names(there)
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
    hashes = await _hashes(run, newcomers, rows)
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
    _tell_of_superusers(run, rows, superusers, known)
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


def _decide(run: Run, row: asyncpg.Record, names: Names, listed: dict[str, int]) -> Newcomer | int | None:
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
        username=_username(run, row, written, names, notes),
        email=_email(run, row, written, names, notes),
        role=role,
        clinic_id=clinic_id,
        is_active=is_active,
        created_at=instant_utc(row["created_at"]) or run.now,
        password=None if row["password"] is None else str(row["password"]),
    )
    run.repaired(TABLE, legacy_id, notes)
    return made


def _username(run: Run, row: asyncpg.Record, written: str, names: Names, notes: list[str]) -> str:
    """Free, and no email: whoever signs in by their email must not meet somebody of that user name."""
    name = written
    if "@" in name:
        name = re.sub(r"[^A-Za-z0-9._-]", "", name.partition("@")[0]) or "user"
        notes.append("an email as user name: the part before the @ here")
    if run.fold(name) in names.taken:
        notes.append("a user name that differs from another's in case only, or was another's: got a number")
        name = f"{name[:60]}-{row['id']}"
    while run.fold(name) in names.taken:
        name += "x"
    names.taken.add(run.fold(name))
    return name


def _email(run: Run, row: asyncpg.Record, written: str, names: Names, notes: list[str]) -> str:
    email = text(row["email"])
    if (email is None or not EMAIL.fullmatch(email)) and EMAIL.fullmatch(written):
        email = written
    if email is None or not EMAIL.fullmatch(email) or len(email) > 254:
        notes.append("without a valid email: got a placeholder")
        email = None
    elif run.fold(email) in names.emails:
        notes.append("an email that is another's: got a placeholder")
        email = None
    email = email or f"user-{row['id']}@legacy.invalid"
    while run.fold(email) in names.emails:
        email = f"x{email}"
    names.emails.add(run.fold(email))
    return email


def _flaw(password: str) -> str | None:
    """What is wrong with what stands as the password; None for a hash that can be verified, or a plain text."""
    if not password.strip():
        return "without a password: needs a new one"
    if is_legacy_hash(password) and len(password) <= LONGEST_HASH:
        return None
    if looks_like_hash(password):
        return "a password's hash that is broken, or of an unknown kind: needs a new one"
    return "a placeholder and no password: needs a new one" if is_placeholder(password) else None


def _alike(password: str) -> str:
    """Whoever knows one of two that differ in case or blanks only can guess the other."""
    return unicodedata.normalize("NFKC", password).strip().casefold()


async def _hashes(run: Run, newcomers: Sequence[Newcomer], rows: Sequence[asyncpg.Record]) -> list[str]:
    """Plain passwords are hashed on every core; they are in no message, and in no table of ours."""
    loop = asyncio.get_running_loop()
    repaired = run.report.repaired
    accounts = Counter(_alike(str(row["password"])) for row in rows if row["password"] is not None)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_THREADS), thread_name_prefix="argon2") as threads:

        async def hashed(one: Newcomer) -> str:
            password = one.password or ""
            flaw = _flaw(password)
            if flaw is None and is_legacy_hash(password):
                return password
            if flaw is None and accounts[_alike(password)] > 1:
                flaw = "a password in plain text that several accounts share: needs a new one"
            repaired(TABLE, one.legacy_id, flaw or "a password in plain text: hashed")
            return UNUSABLE if flaw else await loop.run_in_executor(threads, hash_password, password)

        return list(await asyncio.gather(*map(hashed, newcomers)))


def _tell_of_superusers(
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
