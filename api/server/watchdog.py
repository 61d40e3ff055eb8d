"""Ending a process whose event loop hangs ("does not come round"), with the stacks of its threads in the log.

The loop itself cannot notice that it hangs. Three others do, and each has SIGPROF sent to the process: faulthandler
then writes the stacks, for which it does not need the interpreter's lock, and the process dies. They are

- the kernel, once the process has used some seconds of CPU since the loop last came round: it spins, perhaps in C;
- a thread, once it has woken so many times since: the loop is blocked, or spins where others get their turn. It counts
  its wake-ups and looks at no clock, because a process that was stopped and goes on is not hung;
- the master, once that thread does not wake any more and the process waits: for something, and holds the interpreter's
  lock. One that would run, and gets no processor, does not hang: ended on a machine that is overloaded it would be
  started again, which takes still more.

The thread also ends a process that is not over nine seconds after SIGTERM.
"""

import asyncio
import ctypes
import faulthandler
import os
import signal
import stat
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from api.ops.loop_lag import LOOP_LAG

ROUND: Final = 0.25
"""Seconds after which the loop comes round, if nothing holds it up; and between the thread's wake-ups."""
CPU_SECONDS: Final = 4.0
"""Of all threads together. Hashing passwords takes two cores at most, so a loop that comes round is in time."""
WAKE_UPS: Final = 12
"""Of the thread, three seconds."""
LOOKS: Final = 10
"""Of the master, five seconds."""
LAST_LOOKS: Final = 2
"""Of the master, after which a process that SIGPROF did not end is killed."""
END_AFTER: Final = 9.0
"""Seconds from SIGTERM to the end."""
WRITING: Final = 1.0
"""Seconds that the stacks may take, where nobody reads the log any more."""


class Watchdog:
    """Of one process that serves. `pulse` is where the master sees that the thread wakes; None: there is no master."""

    def __init__(self, pulse: "Pulse | None" = None) -> None:
        self._pulse = pulse
        self._rounds = 0
        self._is_watching = False
        self._terminated_at: float | None = None
        self._log = _log_descriptor()

    def start(self) -> None:
        """In the main thread, once. The loop is not watched yet: what it is to serve is still imported, in one step."""
        # It must be the default action that follows: the end of the process.
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        faulthandler.register(signal.SIGPROF, file=self._log, all_threads=True, chain=True)
        threading.Thread(target=self._watch, daemon=True, name="watchdog").start()

    def watch(self) -> None:
        """The running loop, from now on."""
        self._is_watching = True
        self._come_round(time.monotonic())

    def leave(self) -> None:
        """The loop is over. That the process ends is watched still."""
        self._is_watching = False
        signal.setitimer(signal.ITIMER_PROF, 0)

    def terminated(self) -> None:
        """SIGTERM came, or SIGINT."""
        if self._terminated_at is None:
            self._terminated_at = time.monotonic()

    def _come_round(self, due: float) -> None:
        if not self._is_watching:
            return
        now = time.monotonic()
        LOOP_LAG.note(now - due, now)
        self._rounds += 1
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        asyncio.get_running_loop().call_later(ROUND, self._come_round, now + ROUND)

    def _watch(self) -> None:
        seen = wake_ups = 0
        while True:
            time.sleep(ROUND)
            if self._pulse is not None:
                self._pulse.beat()
            at = self._terminated_at
            # A wake-up early rather than late.
            if at is not None and time.monotonic() - at >= END_AFTER - ROUND:
                self._end(f"it is not over {END_AFTER:g} s after it was told to end")
            if not self._is_watching or self._rounds != seen:
                seen, wake_ups = self._rounds, 0
                continue
            wake_ups += 1
            if wake_ups >= WAKE_UPS:
                self._end(f"its event loop did not come round for {WAKE_UPS * ROUND:g} s")

    def _end(self, reason: str) -> None:
        # Whoever reads the log may be what hangs. SIGALRM's default action ends the process, too.
        signal.setitimer(signal.ITIMER_REAL, WRITING)
        with suppress(OSError):
            os.write(self._log, f"process {os.getpid()} ends, and where it is follows: {reason}\n".encode())
        signal.pthread_kill(threading.get_ident(), signal.SIGPROF)


class Pulse:
    """A count in memory that the master shares with one worker: the worker raises it, the master looks at it."""

    def __init__(self, context: Any) -> None:
        """`context` is multiprocessing's."""
        self._beats = context.RawValue(ctypes.c_ulonglong, 0)
        self._seen = 0
        self._looks = 0

    def beat(self) -> None:
        self._beats.value += 1

    def looks_without(self, pid: int) -> int:
        """How many looks in a row there were without a beat, this one included, while the process waited.

        0 before the first beat: it is being started.
        """
        beats = self._beats.value
        if beats != self._seen or not beats or not waits(pid):
            self._seen, self._looks = beats, 0
        else:
            self._looks += 1
        return self._looks


def waits(pid: int) -> bool:
    """Whether the process's main thread waits for something. It does not while it runs, or would if a processor were
    free, nor while it is stopped by SIGSTOP, a terminal or a debugger. True where nobody can tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return fields.rpartition(")")[2].split()[0] not in ("R", "T", "t")


def _log_descriptor() -> int:
    """Standard output, which has the log. A pipe is opened anew, so that writing to a full one waits for nobody.

    Not so a file, which is never full in that way, and where others go on to write at the offset that they share; nor
    what cannot be opened anew: a socket.
    """
    given = sys.stdout.fileno()
    with suppress(OSError):
        if stat.S_ISFIFO(os.fstat(given).st_mode):
            return os.open(f"/proc/self/fd/{given}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return given
