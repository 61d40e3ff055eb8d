"""What a catalog's import looks like to clients."""

from pydantic import Field

from core.answer_model import AnswerModel
from core.catalogs.imports.report import CatalogReport
from core.errors import FieldError, Invalid

NAMED = 20
"""Cells that a refusal names among its errors; its report has them all."""


class ImportedKind(AnswerModel):
    kind: str = Field(examples=["surgeries"], description="A catalog, by the name of its list.")
    created: int = Field(examples=[12])
    updated: int = Field(examples=[3])
    unchanged: int = Field(examples=[140])


class ImportProblem(AnswerModel):
    sheet: str = Field(examples=["Cirugías"], description="Of a csv file, the file's name.")
    row: int = Field(examples=[7], description="As a spreadsheet counts, headings included.")
    column: str | None = Field(examples=["base_stay_hours"], description="null: of the row as a whole.")
    message: str = Field(examples=["must be a whole number from 1 to 2160, in digits alone"], description="For people.")
    code: str = Field(
        examples=["no_whole_number"],
        description="What the message says. There may be others in future: then show the message.",
    )
    values: dict[str, str | int] = Field(
        examples=[{"least": 1, "most": 2160}], description="What the message names, by name."
    )


class CatalogImport(AnswerModel):
    """What an import did, or with `dry_run` would do."""

    clinic_id: int = Field(examples=[5])
    dry_run: bool = Field(examples=[False])
    imported: bool = Field(examples=[True], description="False of a dry run, and where there are problems.")
    encoding: str | None = Field(
        examples=[None],
        description="As which a csv file was read: `utf-8`, `utf-16`, `utf-32` or `windows-1252`; null of a workbook.",
    )
    kinds: list[ImportedKind] = Field(description="Those that the file has; none where there are problems.")
    problems: list[ImportProblem] = Field(description="By sheet and row; the first thousand or so.")
    problems_total: int = Field(examples=[0])
    hidden: list[str] = Field(
        examples=[["Cirugías, row 3 to 4", "sheet Motivos"]],
        description="What a spreadsheet does not show; it counts like the rest.",
    )
    ignored: list[str] = Field(examples=[["Notas"]], description="Sheets of no kind.")


class CatalogRefused(Invalid):
    """A file with rows that cannot be imported: nothing was. The answer has the report."""

    def __init__(self, report: CatalogImport) -> None:
        named = report.problems[:NAMED]
        super().__init__(
            *(FieldError(f"{one.sheet}.{one.row}.{one.column or ''}", "invalid", one.message) for one in named),
            detail=f"Nothing was imported: {report.problems_total} things in the file are wrong.",
            code="catalog_refused",
            report=report.model_dump(mode="json"),
        )


def view_of(report: CatalogReport, clinic_id: int, *, dry_run: bool) -> CatalogImport:
    kinds = [] if report.problems else report.kinds.items()
    return CatalogImport(
        clinic_id=clinic_id,
        dry_run=dry_run,
        imported=not dry_run and not report.problems,
        encoding=report.encoding,
        kinds=[
            ImportedKind(kind=kind, created=counts.created, updated=counts.updated, unchanged=counts.unchanged)
            for kind, counts in kinds
        ],
        problems=[
            ImportProblem(
                sheet=one.sheet,
                row=one.row,
                column=one.column,
                message=one.message,
                code=one.code,
                values=dict(one.values),
            )
            for one in report.problems
        ],
        problems_total=report.problems_total,
        hidden=report.hidden,
        ignored=report.ignored,
    )
