"""A process whose wall clock is wrong, its C libraries included: Debian's libfaketime stands before the C library."""

from pathlib import Path

from tests.support.servers.debian import program


class Faked:
    """The environment of a process whose wall clock `set_off` sets off, while it runs."""

    def __init__(self, folder: Path) -> None:
        program("faketime", "faketime")
        [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        self._file = folder / "offset"
        self.set_off(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set_off(self, seconds: int) -> None:
        self._file.write_text(f"{seconds:+d}")
