"""`ticket-home` as a whole: a command imports no other's, for what they import would be a good part of its start."""

import subprocess
import sys

from typer.main import get_command

from api.cli.main import command_line

NOT_TO_SERVE = {"alembic", "jwt", "openpyxl", "xlsxwriter", "core.operations.doctor", "core.operations.imports.legacy"}


def names(*words: str) -> set[str]:
    return set(get_command(command_line(words)).commands)  # type: ignore[attr-defined]  # a group


def test_a_command_is_known_alone_and_without_one_all_are() -> None:
    everything = names()
    assert everything >= {"cache", "demo", "doctor", "housekeeping", "import", "migrate", "serve", "user"}
    assert everything == names("--help") == names("no such one") == names("import")
    assert names("serve", "--demo") == {"serve"}
    assert names("user", "create") == {"user"}


def test_what_serves_imports_nothing_that_it_does_not_serve_with() -> None:
    script = (
        "import sys, api.server.application, api.cli.main as main; main.command_line(['serve']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert NOT_TO_SERVE & set(done.stdout.split()) == set()
