"""What each worker counted, in memory that all of them share: the master makes it, each worker writes its own slot.

A worker that was killed leaves its slot as it was, and the one that takes it over goes on from there: what was counted
stays counted. A slot that is somebody's is known by a lock on it, which the kernel takes from a process that dies.
"""

import fcntl
import mmap
import os
import tempfile
import zlib
from collections.abc import Callable
from multiprocessing import reduction
from typing import Any, Final, Self

SLOTS: Final = 64
"""Workers at once, at least. What nobody writes takes no memory."""
CAPACITY: Final = 1024 * 1024
"""Bytes that one worker's samples may take: some thousand series."""
HEAD: Final = 8
"""Before each of a slot's two copies: its length and its CRC-32, four bytes each."""
COPY: Final = HEAD + CAPACITY
SLOT: Final = mmap.PAGESIZE + 2 * COPY
READS: Final = 100
"""Tries to read a slot that is written meanwhile, once a second and at each scrape, in some microseconds."""


class Slots:
    """Made by the master; given to a worker that is spawned, it is the same memory there."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        """How many are to serve at a time."""
        self._count = max(SLOTS, 4 * workers)
        self._open(_unnamed(self._count * SLOT))

    @classmethod
    def _inherited(cls, handed: Any, count: int, workers: int) -> Self:
        made = cls.__new__(cls)
        made._count, made.workers = count, workers
        made._open(handed.detach())
        return made

    def __reduce__(self) -> tuple[Callable[..., "Slots"], tuple[Any, int, int]]:
        # Works while a process is being spawned, and then only.
        return Slots._inherited, (reduction.DupFd(self._descriptor), self._count, self.workers)

    def _open(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        # Never closed while the process lives: closing any descriptor of the file would give its locks back.
        self._descriptor = descriptor
        self._memory = mmap.mmap(descriptor, self._count * SLOT)
        self.own: int | None = None
        """The slot that is this process's."""

    def claim(self) -> bytes:
        """Take a slot that is nobody's; gives what a dead worker left in it, empty where it is new.

        Raises OSError where every slot is a living worker's.
        """
        for slot in range(self._count):
            if self._lock(slot, fcntl.LOCK_EX):
                self.own = slot
                return self._read(slot)
        raise OSError("every slot is somebody's")

    def publish(self, samples: bytes) -> None:
        """Whoever reads sees these or the ones before, never a part. Raises ValueError where they are too many."""
        if self.own is None:
            raise ValueError("no slot is this process's")
        if len(samples) > CAPACITY:
            raise ValueError(f"{len(samples)} bytes of samples, and room for {CAPACITY}")
        start = self.own * SLOT
        copy = 2 if self._memory[start] == 1 else 1
        at = start + mmap.PAGESIZE + (copy - 1) * COPY
        head = len(samples).to_bytes(4, "little") + zlib.crc32(samples).to_bytes(4, "little")
        self._memory[at : at + HEAD + len(samples)] = head + samples
        self._memory[start] = copy

    def read(self) -> list[tuple[int, bytes, bool]]:
        """(slot, what its worker published last, whether that lives), in the order of slots. Raises OSError."""
        found = [(slot, self._read(slot)) for slot in range(self._count)]
        return [(slot, samples, self._lives(slot)) for slot, samples in found if samples]

    def _read(self, slot: int) -> bytes:
        start = slot * SLOT
        for _ in range(READS):
            copy = self._memory[start]
            if not copy:
                return b""
            at = start + mmap.PAGESIZE + (copy - 1) * COPY
            head = self._memory[at : at + HEAD]
            length = int.from_bytes(head[:4], "little")
            samples = self._memory[at + HEAD : at + HEAD + length]
            if zlib.crc32(samples) == int.from_bytes(head[4:], "little"):
                return samples
        raise OSError(f"slot {slot} cannot be read")

    def _lives(self, slot: int) -> bool:
        if slot == self.own:
            return True
        # Shared: two that look at once do not take each other for its owner.
        if not self._lock(slot, fcntl.LOCK_SH):
            return True
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, slot)
        return False

    def _lock(self, slot: int, kind: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, kind | fcntl.LOCK_NB, 1, slot)
        except OSError:  # EACCES or EAGAIN: somebody has it
            return False
        return True


def _unnamed(size: int) -> int:
    """A file that has no name, in memory where the system can do that: nothing is left when its last user dies."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("ticket-home-samples")
    else:
        with tempfile.TemporaryFile() as unnamed:
            descriptor = os.dup(unnamed.fileno())
    os.ftruncate(descriptor, size)
    return descriptor
