"""The data of the application that this one replaces (docs: shared/design/legacy.md).

    from core.imports.legacy import import_legacy
    report = await import_legacy(source_url, target_url, assume_discharged_after=None, progress=True)

One transaction on the target, from one snapshot of the source, whose session is read-only. What is there already stays
as it is: a second run finds every row again (core/imports/models.py), adds what is new, and takes over what changed
there of tickets that nobody has touched here; of those that changed on both sides it tells.
"""

from core.imports.legacy.report import Report
from core.imports.legacy.run import import_legacy
from core.imports.legacy.source import NotTheSource

__all__ = ["NotTheSource", "Report", "import_legacy"]
