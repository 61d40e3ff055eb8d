"""`ticket-home serve`, which notes each minute what its memory is: `python -m bench.soak.worker NOTES SECONDS serve …`.

A line of JSON each, appended to NOTES. Linux with glibc tells all of it; elsewhere what nobody tells is 0.
"""

import ctypes
import gc
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import _lru_cache_wrapper as LruCache  # noqa: N812  the class of what lru_cache makes
from pathlib import Path

from api.cli.main import main

MALLOC = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
OF_PYTHON = {"python_used": "bytes in allocated blocks", "python_held": "arenas allocated current"}
FILES = Path("/proc/self/fd")
ARENA = 1 << 20
TYPES = 60
"""Of Python's objects, those with most: what grows is among them."""


class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in MALLOC]


def of_kernel() -> dict[str, int]:
    """Bytes: proportional set size, and of it what stands in no file."""
    path = Path("/proc/self/smaps_rollup")
    text = path.read_text() if path.exists() else ""
    found = {name: int(kb) * 1024 for name, kb in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    return {"pss": found.get("Pss", 0), "anonymous": found.get("Pss_Anon", 0)}


def of_malloc() -> dict[str, int]:
    """Bytes that C's malloc has given away, that it holds free, and that it mapped one by one; Python's arenas are not
    among them."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        return {"malloc_used": 0, "malloc_free": 0, "malloc_mapped": 0}
    library.mallinfo2.restype = Mallinfo
    info = library.mallinfo2()
    return {"malloc_used": info.uordblks, "malloc_free": info.fordblks, "malloc_mapped": info.hblkhd}


def of_python() -> dict[str, int]:
    """Bytes in Python's blocks, and in the arenas that they lie in."""
    with tempfile.TemporaryFile() as told:
        kept = os.dup(2)
        os.dup2(told.fileno(), 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        told.seek(0)
        text = told.read().decode(errors="replace")
    found = {}
    for name, words in OF_PYTHON.items():
        line = re.search(rf"{words}\s*=\s*([\d,]+)", text)
        found[name] = int(line[1].replace(",", "")) if line else 0
    found["python_held"] *= ARENA
    return found


def remembered() -> int:
    """What our modules' lru_caches hold, all together."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("api", "core")]
    caches = {id(one): one for module in modules for one in vars(module).values() if isinstance(one, LruCache)}
    return sum(cache.cache_info().currsize for cache in caches.values())


def noted() -> dict[str, object]:
    objects = gc.get_objects()
    types = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in objects)
    count = len(objects)
    del objects
    return {
        "at": time.time(),
        **of_kernel(),
        **of_malloc(),
        **of_python(),
        "objects": count,
        "collections": [one["collections"] for one in gc.get_stats()],
        "remembered": remembered(),
        "threads": threading.active_count(),
        "files": len(list(FILES.iterdir())) if FILES.exists() else 0,
        "types": dict(types.most_common(TYPES)),
    }


def note(path: Path, every: float) -> None:
    while True:
        time.sleep(every)  # and no collection: what the thresholds leave lying about is memory, too
        with path.open("a") as file:
            file.write(json.dumps(noted()) + "\n")


if __name__ == "__main__":
    threading.Thread(target=note, args=(Path(sys.argv[1]), float(sys.argv[2])), daemon=True, name="notes").start()
    sys.argv = ["ticket-home", *sys.argv[3:]]
    main()
