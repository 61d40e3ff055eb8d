"""Bringing patients over, found again by clinic and document.

Several rows of one RUT there, with dots and without, are one patient here, unless their names differ: two people are
never made one. A document that identifies nobody joins no rows either.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from core.db.bulk_copy import copy, reserve
from core.operations.imports.legacy.behind import Behind
from core.operations.imports.legacy.context import Run
from core.operations.imports.legacy.people.documents import DocumentKey, Fields, People, document_of, named, said
from core.operations.imports.legacy.people.patient_row import COLUMNS, patient_fields
from core.patients.document import Document, DocumentType
from core.patients.same_person import is_same_person
from core.rut import normal_rut

TABLE = "patient"
FILLED = ("middle_name", "second_last_name", "age", "sex")
"""What an older row of the same patient may add."""
APART = "a document that a later row has, too, whose names differ: a patient of its own, marked as unverified"
NOBODYS = "a document that identifies nobody: a patient of its own, marked as unverified"
JOINED = "an earlier import made it one with another row, whose document or names say otherwise: look at its tickets"

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
SELECT p.id, p.clinic_id, p.document_type, p.document, p.first_name, p.middle_name, p.last_name, p.second_last_name,
    p.age, p.sex
FROM patient p JOIN unnest($1::integer[], $2::text[], $3::text[]) AS w (clinic_id, document_type, document)
    USING (clinic_id, document_type, document)
"""


async def bring_patients(run: Run) -> None:
    """Patients, found again by clinic and document, in batches. Counts and findings go to `run.report`."""
    source = run.source
    tables = {name: source.table(name) for name in ("patient", "ticket")}
    is_planned = False
    before = Before(made=set(), joined=dict.fromkeys(run.memory.several(TABLE)))
    async with Behind() as behind:
        async for batch in source.batches(OWN.format(**tables)):
            run.report.of(TABLE).read += len(batch)
            await _bring(run, batch, before, behind, counted=True)
            if not is_planned:
                # The table's trigger looks documents up, by a plan that knows an empty table until it is analysed.
                await behind.wait()
                await run.target.execute("ANALYZE patient")
                is_planned = True
            run.advance(len(batch))
        async for batch in source.batches(ELSEWHERE.format(**tables)):
            await _bring(run, batch, before, behind, counted=False)
    for row in await source.connection.fetch(LOST_EPISODES.format(**tables)):
        run.report.lost(TABLE, row["id"], "an episode of a patient without tickets")


@dataclass(slots=True)
class Before:
    """What the batches before this one left."""

    made: set[int]
    """Patients of this run."""
    joined: dict[int, Fields | None]
    """Patients of whom an earlier run made one of several rows, and the first of those as it was met."""
    twins: dict[DocumentKey, list[tuple[int, Fields]]] = field(default_factory=dict)
    """Of documents that several people have here."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A row that no earlier run has seen, and who it is."""

    row: asyncpg.Record
    document: Document
    key: DocumentKey
    fields: Fields
    """By column, without the id."""
    notes: list[str]


async def _bring(run: Run, batch: Sequence[asyncpg.Record], before: Before, behind: Behind, *, counted: bool) -> None:
    """`counted` rows are the source's own; the others are patients of another clinic's tickets."""
    counts = run.report.of(TABLE)
    wanted = await asyncio.to_thread(lambda: list(_wanted(run, batch, before, counted=counted)))
    await behind.wait()
    people = await _there(run, {one.key for one in wanted if one.document.verified}, before)
    ids = (await reserve(run.target, TABLE, len(wanted)))[::-1]
    rows, older = [], []
    for one in wanted:
        legacy_id, clinic_id = one.row["id"], one.key[0]
        found = people.find(one.key, one.fields) if one.document.verified else None
        if found is None:
            found = ids.pop()
            before.made.add(found)
            rows.append((found, *_verified(run, one, people).values()))
            _report(run, one, counted=counted)
            if one.document.verified:
                people.add(one.key, found, one.fields)
            counts.imported += counted
        elif found in before.made:
            older.append((found, *one.fields.values()))
            run.report.repaired(TABLE, legacy_id, "a document that a later row has, too: one patient here")
            counts.merged += counted
        else:
            counts.present += counted
        run.memory.add(TABLE, legacy_id, _remembered(one.key), found)
        run.patients[legacy_id, clinic_id] = found
        run.patient_homes.setdefault(legacy_id, clinic_id)
    before.twins |= {key: found for key, found in people.by_key.items() if len(found) > 1}
    behind.start(_store(run, rows, older))


def _verified(run: Run, one: _Wanted, people: People) -> Fields:
    """Its columns. Of several people of one document it identifies the latest; the others are reported by name."""
    others = people.others(one.key) if one.document.verified else []
    if not others:
        return one.fields
    run.report.kept(TABLE, one.row["id"], APART)
    names = ", ".join(dict.fromkeys(named(fields) for _, fields in others))
    run.report.apart.append(f"{TABLE} {one.row['id']} is {named(one.fields)}, and its document is that of {names}.")
    return {**one.fields, "verified": False}


async def _store(run: Run, rows: Sequence[tuple[Any, ...]], older: Sequence[tuple[Any, ...]]) -> None:
    await copy(run.target, TABLE, COLUMNS, rows)
    await _fill(run, older)


def _wanted(run: Run, batch: Sequence[asyncpg.Record], before: Before, *, counted: bool) -> Iterator[_Wanted]:
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
        known = _known(run, row["id"], key)
        if known is None:
            yield _Wanted(row, document, key, patient_fields(row, clinic.id, document, notes), notes)
        else:
            if known in before.joined:
                _look_again(run, row, before, known, patient_fields(row, clinic.id, document, []), document)
            run.patients[row["id"], clinic.id] = known
            run.patient_homes.setdefault(row["id"], clinic.id)
            run.report.of(TABLE).present += counted


def _known(run: Run, legacy_id: int, key: DocumentKey) -> int | None:
    """The patient that an earlier run made of the row.

    The release before wrote what is no RUT in capitals, and what is nobody's (`11.111.111-1`) as it wrote RUTs.
    """
    clinic_id, kind, written = key
    spellings = dict.fromkeys((written, written.upper(), normal_rut(written) or written))
    found = (run.memory.row(TABLE, legacy_id, _remembered((clinic_id, kind, spelled))) for spelled in spellings)
    return next((patient_id for patient_id in found if patient_id is not None), None)


def _look_again(run: Run, row: asyncpg.Record, before: Before, known: int, fields: Fields, document: Document) -> None:
    """Report a patient whom an earlier run, by laxer rules, made of several rows that would be two people now."""
    first = before.joined[known]
    if first is None:
        before.joined[known] = fields
    elif not document.verified or not is_same_person(said(first), said(fields)):
        run.report.kept(TABLE, row["id"], JOINED)


def _report(run: Run, one: _Wanted, *, counted: bool) -> None:
    if one.row["clinic_id"] is None:
        one.notes.append("without a clinic: its ticket's")
    if not counted:
        one.notes.append("a patient of another clinic's ticket: made there, too")
    run.repaired(TABLE, one.row["id"], one.notes)
    if one.document.is_nobodys:
        run.report.kept(TABLE, one.row["id"], NOBODYS)
    elif not one.document.verified and one.document.type is DocumentType.RUT:
        run.report.kept(TABLE, one.row["id"], "a RUT that fails its check: marked as unverified")


def _remembered(key: DocumentKey) -> str:
    return "/".join(map(str, key))


async def _there(run: Run, keys: set[DocumentKey], before: Before) -> People:
    """The patients here that have one of these documents, those of this run's earlier batches included."""
    people = People()
    if keys:
        people.learn(await run.target.fetch(THERE, *map(list, zip(*keys, strict=True))))
    for key in keys & before.twins.keys():
        people.by_key[key] = list(before.twins[key])
    return people


async def _fill(run: Run, older: Sequence[tuple[Any, ...]]) -> None:
    """What the latest row of a patient left open, and an older one says."""
    places = [COLUMNS.index(name) for name in FILLED]
    await run.target.executemany(
        "UPDATE patient SET middle_name = coalesce(middle_name, $2), second_last_name = coalesce(second_last_name, $3),"
        " age = coalesce(age, $4), sex = coalesce(sex, $5)"
        " WHERE id = $1 AND (middle_name IS NULL OR second_last_name IS NULL OR age IS NULL OR sex IS NULL)",
        [(row[0], *(row[place] for place in places)) for row in older],
    )
