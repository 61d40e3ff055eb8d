"""What the serving side asks of the process that makes an export: all that it needs, and nothing it must import for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Format(StrEnum):
    XLSX = "tickets.xlsx"
    CSV = "tickets.csv"
    FULL = "full.zip"


class Lang(StrEnum):
    """Of headings, states and flags."""

    ES = "es"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Form:
    """How tickets are written."""

    lang: Lang = Lang.EN
    for_excel: bool = False
    """A csv as Excel opens it where the language is Spanish: semicolons, and times without an offset."""
    is_viewers: bool = False
    """Without documents, and with age in decades."""


@dataclass(frozen=True, slots=True)
class Batches:
    """A statement that reads rows in the order of their keys, some at a time.

    Each batch is a statement of its own, and so a snapshot of its own, that ends before a byte of it is sent: however
    long an export takes and however slow its client is, no transaction stays open.
    """

    sql: str
    arguments: tuple[object, ...]
    """In place of `after` and `limit` whatever; the rest as it is."""
    after: tuple[int, ...]
    """Which arguments are the keys of the last row that was read; empty keys come before all."""
    start: tuple[object, ...]
    """Keys before every row's."""
    limit: int
    """Which argument is how many rows to read."""
    keys: tuple[int, ...]
    """Which columns of a row are its keys."""

    def arguments_from(self, after: tuple[object, ...], limit: int) -> list[object]:
        """The arguments of the statement for the `limit` rows behind the keys `after`."""
        given = list(self.arguments)
        for at, key in zip(self.after, after, strict=True):
            given[at] = key
        given[self.limit] = limit
        return given


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the full export."""

    name: str
    columns: tuple[str, ...]
    batches: Batches


@dataclass(frozen=True, slots=True)
class Job:
    """All that the child process is told: it reads no settings of ours."""

    format: Format
    dsn: str
    application: str
    """Its name, as `pg_stat_activity` shows it."""
    settings: dict[str, str]
    """PostgreSQL's."""
    connect_timeout: float
    """Seconds, as `command_timeout`."""
    command_timeout: float
    now: datetime
    """The database's clock when it was asked for: states of tickets are those of this moment."""
    tickets: Batches | None = None
    form: Form = Form()
    tables: tuple[Table, ...] = ()
    """Of the full export, in this order."""
    left_out: tuple[str, ...] = ()
