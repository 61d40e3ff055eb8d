"""The data of the application that this one replaces (docs/design/legacy.md).

    from core.operations.imports.legacy import import_legacy
    report = await import_legacy(source_url, target_url, assume_discharged_after=None, progress=True)

One transaction on the target, from one snapshot of the source, whose session is read-only. What is there already stays
as it is: a second run finds every row again (core/operations/imports/models.py), adds what is new, and takes over what
changed there of tickets that nobody has touched here; those that changed on both sides it reports.
"""

from core.operations.imports.legacy.report import Report
from core.operations.imports.legacy.run import import_legacy
from core.operations.imports.legacy.source import NotTheSource

__all__ = ["NotTheSource", "Report", "import_legacy"]
