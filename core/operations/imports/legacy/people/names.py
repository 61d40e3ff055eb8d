"""User names and emails for the old application's users: both are unique here, in any case."""

import re
from collections.abc import Sequence

import asyncpg

from core.operations.imports.legacy.context import Folding
from core.operations.imports.legacy.values import text

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class TakenNames:
    """Those of the target's users (`there`), and of this run's as they get theirs. `notes` gets what was changed."""

    def __init__(self, there: Sequence[asyncpg.Record]) -> None:
        self.by_name = {row["name"]: row for row in there}
        self.taken = set(self.by_name)
        self.emails = {row["email"] for row in there}
        self.claimed: set[int] = set()
        """Users of the target who are one of the source's."""

    def username(self, fold: Folding, row: asyncpg.Record, written: str, notes: list[str]) -> str:
        """A user name that is free and has no @ in it: it could be somebody else's email, by which they sign in."""
        name = written
        if "@" in name:
            name = re.sub(r"[^A-Za-z0-9._-]", "", name.partition("@")[0]) or "user"
            notes.append("an email as user name: the part before the @ here")
        if fold(name) in self.taken:
            notes.append("a user name that differs from another's in case only, or was another's: got a number")
            name = f"{name[:60]}-{row['id']}"
        while fold(name) in self.taken:
            name += "x"
        self.taken.add(fold(name))
        return name

    def email(self, fold: Folding, row: asyncpg.Record, written: str, notes: list[str]) -> str:
        """Its own, or a placeholder that no server takes."""
        email = text(row["email"])
        if (email is None or not EMAIL.fullmatch(email)) and EMAIL.fullmatch(written):
            email = written
        if email is None or not EMAIL.fullmatch(email) or len(email) > 254:
            notes.append("without a valid email: got a placeholder")
            email = None
        elif fold(email) in self.emails:
            notes.append("an email that is another's: got a placeholder")
            email = None
        email = email or f"user-{row['id']}@legacy.invalid"
        while fold(email) in self.emails:
            email = f"x{email}"
        self.emails.add(fold(email))
        return email
