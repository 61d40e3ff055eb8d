"""`ticket-home serve` with other thresholds, which notes its collections when it ends:
`python -m bench.garbage.worker NOTES 700,10,10 serve …`."""

import atexit
import gc
import json
import sys
from pathlib import Path
from time import thread_time

from api.cli.main import main
from api.server import application

GENERATIONS = 3


class Collections:
    """Since the process serves, of each generation: how many, seconds of CPU in all, and of the longest, which is a
    pause for everybody: a collection waits for nothing but its core."""

    def __init__(self) -> None:
        self.counts = [0] * GENERATIONS
        self.seconds = [0.0] * GENERATIONS
        self.longest = [0.0] * GENERATIONS
        self._began = 0.0
        self._serves = False

    def note(self, phase: str, about: dict[str, int]) -> None:
        """One of `gc.callbacks`. Those before `gc.freeze()` are start-up's, and nobody waits for them."""
        if phase == "start":
            self._began = thread_time()
            return
        took = thread_time() - self._began
        # Counted by walking all that is frozen: only until there is something.
        self._serves = self._serves or gc.get_freeze_count() > 0
        if self._serves:
            generation = about["generation"]
            self.counts[generation] += 1
            self.seconds[generation] += took
            self.longest[generation] = max(self.longest[generation], took)


if __name__ == "__main__":
    notes, collections = Path(sys.argv[1]), Collections()
    first, second, third = map(int, sys.argv[2].split(","))
    application.COLLECTED_AFTER = (first, second, third)
    gc.callbacks.append(collections.note)
    atexit.register(lambda: notes.write_text(json.dumps(vars(collections))))
    sys.argv = ["ticket-home", *sys.argv[3:]]
    main()
