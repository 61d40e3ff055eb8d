"""Demo data that looks like life, by COPY.

    from core.operations.demo import fill
    summary = fill(database_url, clinics=9, tickets=5000, seed=1, password="…", progress=True)

Synchronous, not inside a running event loop (there: `await core.operations.demo.filling.fill_demo(…)` with the same
arguments). Needs a migrated database. Raises DemoRefused in production (TICKET_HOME_ENV) and for impossible arguments.
`Summary` has `clinics`, `tickets` (made by this run; both 0 where everything was there), `present` (clinics that were
there already), `seconds`, and `str(summary)`: one line for people.
"""

from core.operations.demo.filling import DemoRefused, Summary, fill

__all__ = ["DemoRefused", "Summary", "fill"]
