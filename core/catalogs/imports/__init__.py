"""A clinic's catalog from a file: `ticket-home import catalog FILE --clinic PREFIX`, and `POST /v1/imports/catalog`.

An xlsx file has a sheet for each kind: `specialties`, `surgeries`, `doctors`, `reasons` (or in Spanish), in any order;
other sheets are ignored and reported. A csv file has one kind, known by its name (`surgeries.csv`) or its headings, or
all of them with a column `kind`. It is UTF-8, UTF-16 or Windows-1252, separated by commas, semicolons or tabs, or by
what its first line says (`sep=;`).

The first row has the headings: the columns of each catalog's description (core/catalogs/catalogs.py), or what else they
may be called. `ticket-home import catalog --help` lists them.

A row is matched by its name (a doctor first by RUT, a reason by category and text), in any case, and written over what
is there; rows that the file does not have stay. A column that is absent leaves its field as it is; a blank cell clears
it, or leaves what cannot be null. Whole numbers are digits (24, or 24,0; 1.000 is refused, for it may be a thousand),
flags are yes or no, sí or no, 1 or 0, TRUE or FALSE. A formula counts by its stored value, and is refused without one.
What is hidden in a workbook is imported like the rest, and reported.

Everything is imported, or, where a single row is wrong, nothing.
"""
