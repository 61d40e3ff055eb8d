"""What is said of a file, by code: a client says it in its own language; whoever does not know the code, in English."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SAID: Mapping[str, str] = {
    # Of a cell.
    "no_text": "must be a text",
    "too_long": "has more than {most} characters",
    "unreadable_text": "has characters that are no text",
    "shows_error": "shows {shown}",
    "no_formula_value": "has a formula whose value is not in the file: open it in a spreadsheet program and save it"
    " there",
    "grouped_digits": "“{written}” may be a thousand or a fraction: write the digits alone, without dots or commas",
    "no_whole_number": "must be a whole number from {least} to {most}, in digits alone",
    "flag_for_whole_number": "must be a whole number from {least} to {most}, in digits alone, and is TRUE or FALSE",
    "date_for_whole_number": "must be a whole number from {least} to {most}, in digits alone, and is a date or a time",
    "no_flag": "must be yes or no (sí or no, 1 or 0)",
    "date_for_flag": "must be yes or no (sí or no, 1 or 0), and is a date or a time",
    "invalid_rut": "is no RUT, or its verifier digit is wrong",
    "no_such_word": "must be {words}",
    "missing": "is missing",
    # Of a row, beside others and the catalog.
    "same_name": "{count} doctors of the clinic are called so: say which by the RUT",
    "repeated": "is the same as {sheet}, row {number}",
    "unknown_specialty": "the clinic has none of this name, and the file neither",
    "inactive": "is no longer in use",
    "no_kind": "must be one of {kinds}",
    "cells_without_heading": "has more cells than there are headings",
    # Of a heading.
    "unknown_column": "is no column of {kind}",
    "unknown_everywhere": "is no column of any kind",
    "twice": "is there twice",
    # Of the file as a whole: it is no catalog.
    "empty": "{name} is empty.",
    "old_excel": "{name} is of an old Excel, or encrypted: save it as xlsx, without a password.",
    "no_sheet": "No sheet is called {kinds}.",
    "markup": "{name} is HTML or XML and no csv file, whatever its name says: save it as xlsx.",
    "no_csv": "{name} is no csv file: {error}.",
    "kind_untold": "{name} does not tell what it holds: call it surgeries.csv, or give it a column kind.",
    "too_many_rows": "The file has more than {most} rows: import it in parts.",
    "too_wide": "A row has more than {most} columns: delete those that have nothing to do with the catalog.",
    "too_large": "The workbook is too large: delete sheets that have nothing to do with the catalog, and blank rows"
    " below.",
    "too_much": "The file unpacks to more than can be read: delete what has nothing to do with the catalog.",
    "too_slow": "Reading the file takes too long: delete what has nothing to do with the catalog.",
    "other_program": "This is {what} and no xlsx file: save it as xlsx.",
    "damaged": "This is no xlsx file, or a damaged one.",
    "broken_text": "{name} begins as text in {encoding} does, and goes on as none: save it as “CSV UTF-8”.",
    "unknown_encoding": "{name} is neither text in UTF-8 nor in Windows-1252, where it would read “{word}”: save it as"
    " “CSV UTF-8”.",
    "two_encodings": "{name} could read “{word}” or “{other}”, for it does not tell its encoding: save it as"
    " “CSV UTF-8”.",
}


@dataclass(frozen=True, slots=True)
class Saying:
    """`str` of it is the English text."""

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return SAID[self.code].format_map(self.values)


def saying(code: str, **values: str | int) -> Saying:
    return Saying(code, values)
