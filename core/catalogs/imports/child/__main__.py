"""The process that reads one file: `python -m core.catalogs.imports.child`.

It takes the file's name and the seconds that it may use, as a line of JSON, and the file's bytes from standard input,
and writes what the file says to standard output (core/catalogs/imports/wire.py). Before it looks at a byte it bounds
what it may take of the machine: whoever made the file may have meant it to unpack to gigabytes, or to be looked at for
hours.
"""

import gc
import json
import os
import resource
import sys
from traceback import format_tb

from core.catalogs.imports import wire
from core.catalogs.imports.report import NoCatalog
from core.catalogs.imports.sheets import read_file

MEMORY = 384 * 1024 * 1024
"""Bytes that it may map, its own code among them."""
NICE = 5
"""Requests come first."""


def main() -> int:
    """Read the file that standard input has. The exit code: 0, or 1 where it could not be read by a fault of ours."""
    name, seconds = json.loads(sys.stdin.buffer.readline())
    bound(resource.RLIMIT_CPU, seconds)
    bound(resource.RLIMIT_AS, MEMORY)
    bound(resource.RLIMIT_CORE, 0)
    os.nice(NICE)
    # What is read makes no cycles; looking for some takes a tenth of the time.
    gc.freeze()
    gc.disable()
    content = sys.stdin.buffer.read()
    try:
        lines = wire.lines_of(read_file(content, name))
    except NoCatalog as refused:
        lines = iter([wire.refusal(refused)])
    except MemoryError:
        lines = iter([wire.refusal(NoCatalog("too_much"))])
    except Exception as error:  # noqa: BLE001  whatever it is, the serving process logs it; its message may have values
        stack = "".join(format_tb(error.__traceback__)[-8:])
        sys.stdout.buffer.write(wire.failure(type(error).__name__, stack))
        return 1
    sys.stdout.buffer.writelines(lines)
    sys.stdout.buffer.flush()
    return 0


def bound(what: int, most: int) -> None:
    """A limit of the kernel's, or the one that there is already where that is lower."""
    _, hard = resource.getrlimit(what)
    within = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (within, within))


if __name__ == "__main__":
    sys.exit(main())
