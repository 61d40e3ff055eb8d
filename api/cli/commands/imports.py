"""`ticket-home import`: a clinic's catalog from a file, and the data of the application that this one replaces."""

import asyncio
import csv
import re
import sys
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.cli.actor import OPERATOR
from api.cli.failures import explained, fail
from api.cli.installation import DataDir, installation
from core.catalogs.catalogs import CATALOGS
from core.catalogs.imports.cells import headings_of
from core.catalogs.imports.report import CatalogReport, NoCatalog
from core.catalogs.imports.run import import_catalog
from core.operations.imports.legacy import NotTheSource, Report, import_legacy
from core.runtime import open_runtime
from core.settings import Settings

commands = typer.Typer(name="import", help="Import a catalog, or the old application's data.", no_args_is_help=True)

_DURATION = re.compile(r"([0-9]{1,6})\s*([hd])")

_ROWS = [f"{catalog.plural:<12} {headings_of(catalog)}" for catalog in CATALOGS]
SHEETS = "\n".join(textwrap.fill(row, 78, subsequent_indent=13 * " ") for row in _ROWS)
CATALOG_HELP = f"""Specialties, surgeries, doctors and reasons of a clinic, from an xlsx or csv file.

An xlsx file has a sheet for each kind. A csv file (UTF-8, UTF-16 or Windows-1252; commas, semicolons or \
tabs, or what a first line such as sep=| says) has one kind, \
known by its name, such as surgeries.csv, or its headings; or several, with a column kind. The first row has the \
headings, in English or Spanish; * is required:

\b
{SHEETS}

Rows are matched by name, doctors first by RUT, and written over what is there; what the file does not have stays. \
Every bad row is reported, and then nothing is imported. Hidden sheets, rows and columns count like the rest, and are \
reported, too.
"""


@commands.command("catalog", help=CATALOG_HELP)
def catalog(
    file: Annotated[Path, typer.Argument(help="An xlsx or csv file.", show_default=False)],
    clinic: Annotated[str, typer.Option(metavar="PREFIX", help="Whose catalog it is, e.g. SANT.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and leave no row.")] = False,
    data_dir: DataDir = None,
) -> None:
    with explained(), installation(data_dir) as settings:
        try:
            report = asyncio.run(_catalog(settings, clinic, file, dry_run=dry_run))
        except NoCatalog as refused:
            fail(str(refused))
    typer.echo(str(report), err=bool(report.problems))
    if dry_run and not report.problems:
        typer.echo("Nothing was imported: it was a dry run.")
    if report.problems:
        raise typer.Exit(1)


@commands.command("legacy")
def legacy(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="URL",
            envvar="LEGACY_DATABASE_URL",
            help="The old application's database: postgresql://… It is only read.",
            show_default=False,
        ),
    ],
    assume_discharged_after: Annotated[
        str | None,
        typer.Option(
            metavar="72h",
            help="Active tickets that are overdue by more than this count as discharged at their FPA. Off by default.",
            show_default=False,
        ),
    ] = None,
    report_file: Annotated[
        Path | None,
        typer.Option(
            "--report",
            help="Write every row that was repaired, kept with a flaw or refused here, as csv.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Everything that the old application knows, in one transaction; a second run adds what is new.

    What is in this database already stays as it is, but for imported tickets that nobody has touched here: what
    changed there of those is taken over. The report names rows by their ids there; the terminal alone shows names,
    of people who share a document and are not made one.
    """
    after = _duration(assume_discharged_after)
    with explained(), installation(data_dir) as settings:
        if report_file is not None:
            # Before the work, not after it: a folder that is not there is an error at once.
            report_file.touch()
        try:
            report = asyncio.run(
                import_legacy(
                    source,
                    settings.require_direct_url(),
                    assume_discharged_after=after,
                    progress=sys.stderr.isatty(),
                )
            )
        except NotTheSource as refused:
            fail(str(refused))
        if report_file is not None:
            _write(report, report_file)
    typer.echo(str(report))


async def _catalog(settings: Settings, prefix: str, path: Path, *, dry_run: bool) -> CatalogReport:
    async with open_runtime(settings, serves=False) as runtime:
        return await import_catalog(runtime.database, OPERATOR, prefix, path, dry_run=dry_run)


def _duration(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter("a number of hours or days, such as 72h or 3d", param_hint="--assume-discharged-after")
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


def _write(report: Report, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["outcome", "table", "id", "what"])
        rows.writerows((one.outcome.value, one.table, _text(one.legacy_id), one.what) for one in report.findings())


def _text(written: str) -> str:
    """An id there may be anything; in a spreadsheet none of them is a formula."""
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written
