"""Patients: by clinic and document. What was several rows of one RUT there, with dots and without, is one here."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.db.copying import copy, reserve
from core.imports.legacy.behind import Behind
from core.imports.legacy.context import Run
from core.imports.legacy.values import UNKNOWN, fitting, sex_of, text, whole, within
from core.patients.document import LONGEST, Document, DocumentType, parse

TABLE = "patient"
COLUMNS = [
    *("id", "clinic_id", "document_type", "document", "verified", "first_name", "middle_name", "last_name"),
    *("second_last_name", "age", "sex"),
]
FILLED = ("middle_name", "second_last_name", "age", "sex")
"""What an older row of the same patient may add."""
Key = tuple[int, str, str]
"""Clinic here, document's type, document."""

# Of one patient's rows the latest first: its data is the patient's.
OWN = """
SELECT p.*, coalesce(p.clinic_id, f.clinic_id) AS home
FROM {patient} p LEFT JOIN (
    SELECT DISTINCT ON (patient_id) patient_id, clinic_id FROM {ticket} t
    WHERE clinic_id IS NOT NULL ORDER BY patient_id, clinic_id
) f ON f.patient_id = p.id
ORDER BY p.id DESC
"""
ELSEWHERE = """
SELECT DISTINCT p.id, t.clinic_id AS home, p.rut, p.primer_nombre, p.segundo_nombre, p.apellido_paterno,
    p.apellido_materno, p.age, p.sex, p.clinic_id
FROM {ticket} t JOIN {patient} p ON p.id = t.patient_id
WHERE t.clinic_id IS NOT NULL AND p.clinic_id IS DISTINCT FROM t.clinic_id
ORDER BY p.id DESC
"""
LOST_EPISODES = """
SELECT p.id FROM {patient} p
WHERE btrim(p.episode_id) <> '' AND NOT EXISTS (SELECT FROM {ticket} t WHERE t.patient_id = p.id) ORDER BY p.id
"""
THERE = """
SELECT p.id, p.clinic_id, p.document_type, p.document
FROM patient p JOIN unnest($1::integer[], $2::text[], $3::text[]) AS w (clinic_id, document_type, document)
    USING (clinic_id, document_type, document)
"""


async def bring_patients(run: Run) -> None:
    source = run.source
    tables = {name: source.table(name) for name in ("patient", "ticket")}
    made: set[int] = set()
    async with Behind() as behind:
        async for batch in source.batches(OWN.format(**tables)):
            run.report.of(TABLE).read += len(batch)
            await _bring(run, batch, made, behind, counted=True)
            run.advance(len(batch))
        async for batch in source.batches(ELSEWHERE.format(**tables)):
            await _bring(run, batch, made, behind, counted=False)
    for row in await source.connection.fetch(LOST_EPISODES.format(**tables)):
        run.report.lost(TABLE, row["id"], "an episode of a patient without tickets")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A row that no earlier run has seen, and who it is."""

    row: asyncpg.Record
    document: Document
    key: Key
    values: tuple[Any, ...]
    """As in COLUMNS, without the id."""
    notes: list[str]


async def _bring(run: Run, batch: Sequence[asyncpg.Record], made: set[int], behind: Behind, *, counted: bool) -> None:
    """`counted` rows are the source's own; the others are patients of another clinic's tickets."""
    counts = run.report.of(TABLE)
    wanted = await asyncio.to_thread(lambda: list(_wanted(run, batch, counted=counted)))
    await behind.wait()
    there = await _there(run, [one.key for one in wanted])
    ids = (await reserve(run.target, TABLE, len({one.key for one in wanted} - there.keys())))[::-1]
    rows, older = [], []
    for one in wanted:
        legacy_id, clinic_id = one.row["id"], one.key[0]
        found = there.get(one.key)
        if found is None:
            found = there[one.key] = ids.pop()
            made.add(found)
            rows.append((found, *one.values))
            _tell(run, one, counted=counted)
            counts.imported += counted
        elif found in made:
            older.append((found, *one.values))
            run.report.repaired(TABLE, legacy_id, "a document that a later row has, too: one patient here")
            counts.merged += counted
        else:
            counts.present += counted
        run.memory.add(TABLE, legacy_id, _remembered(one.key), found)
        run.patients[legacy_id, clinic_id] = found
        run.patient_homes.setdefault(legacy_id, clinic_id)
    behind.start(_store(run, rows, older))


async def _store(run: Run, rows: Sequence[tuple[Any, ...]], older: Sequence[tuple[Any, ...]]) -> None:
    await copy(run.target, TABLE, COLUMNS, rows)
    await _fill(run, older)


def _wanted(run: Run, batch: Sequence[asyncpg.Record], *, counted: bool) -> Iterator[_Wanted]:
    for row in batch:
        clinic = run.clinics.get(row["home"])
        if clinic is None:
            if counted:
                run.report.refused(TABLE, row["id"], "of no clinic")
            continue
        if not counted and (row["id"], clinic.id) in run.patients:
            continue
        notes: list[str] = []
        document = document_of(row, notes)
        key = (clinic.id, document.type.value, document.text)
        known = run.memory.row(TABLE, row["id"], _remembered(key))
        if known is None:
            yield _Wanted(row, document, key, patient_row(row, clinic.id, document, notes), notes)
        else:
            run.patients[row["id"], clinic.id] = known
            run.patient_homes.setdefault(row["id"], clinic.id)
            run.report.of(TABLE).present += counted


def _tell(run: Run, one: _Wanted, *, counted: bool) -> None:
    if one.row["clinic_id"] is None:
        one.notes.append("without a clinic: its ticket's")
    if not counted:
        one.notes.append("a patient of another clinic's ticket: made there, too")
    run.repaired(TABLE, one.row["id"], one.notes)
    if not one.document.verified and one.document.type is DocumentType.RUT:
        run.report.kept(TABLE, one.row["id"], "a RUT that fails its check: marked as unverified")


def _remembered(key: Key) -> str:
    return "/".join(map(str, key))


async def _there(run: Run, keys: Sequence[Key]) -> dict[Key, int]:
    """Those that the target has, of this run's earlier batches too."""
    if not keys:
        return {}
    rows = await run.target.fetch(THERE, *map(list, zip(*set(keys), strict=True)))
    return {(row["clinic_id"], row["document_type"], row["document"]): row["id"] for row in rows}


async def _fill(run: Run, older: Sequence[tuple[Any, ...]]) -> None:
    """What the latest row of a patient left open, and an older one says."""
    places = [COLUMNS.index(name) for name in FILLED]
    await run.target.executemany(
        "UPDATE patient SET middle_name = coalesce(middle_name, $2), second_last_name = coalesce(second_last_name, $3),"
        " age = coalesce(age, $4), sex = coalesce(sex, $5)"
        " WHERE id = $1 AND (middle_name IS NULL OR second_last_name IS NULL OR age IS NULL OR sex IS NULL)",
        [(row[0], *(row[place] for place in places)) for row in older],
    )


def document_of(row: asyncpg.Record, notes: list[str]) -> Document:
    """In the form by which a client's document finds it."""
    written = text(row["rut"])
    if written is None:
        notes.append("without a RUT: got a document of another kind")
        return Document(DocumentType.OTHER, f"LEGACY-{row['id']}", verified=False)
    collapsed = " ".join(written.split())
    if len(collapsed) > LONGEST:
        collapsed = fitting(collapsed, LONGEST, notes.append) or collapsed[:LONGEST]
    return parse(DocumentType.RUT, collapsed, "document")


def patient_row(row: asyncpg.Record, clinic_id: int, document: Document, notes: list[str]) -> tuple[Any, ...]:
    """As in COLUMNS, without the id."""
    first, middle, last, second = (
        fitting(row[name], 80, notes.append)
        for name in ("primer_nombre", "segundo_nombre", "apellido_paterno", "apellido_materno")
    )
    if first is None or last is None:
        notes.append("without a name or a surname: unknown")
    age = within(row["age"], 0, 150)
    if age is None and row["age"] is not None:
        notes.append("an age out of 0 to 150: none here" if whole(row["age"]) is not None else "an age that is none")
    sex = sex_of(row["sex"])
    if sex is None and text(row["sex"]) is not None:
        notes.append("a sex that is none of those known: none here")
    return (
        *(clinic_id, document.type.value, document.text, document.verified),
        *(first or UNKNOWN, middle, last or UNKNOWN, second, age, sex),
    )
