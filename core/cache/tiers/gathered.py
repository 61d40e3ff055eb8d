"""Reads of Redis that many ask for at once go there in one command: what a command costs a process is most of a read.

A process that knows nothing yet, after a deployment say, has to look up whatever it is asked for. Each look-up alone
takes a connection, a time limit and a round trip.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

MOST = 64
"""Keys of one command: with more, one answer would hold up the event loop."""
Values = list[bytes | None]
Read = Callable[[Sequence[str]], Awaitable[Values]]


class GatheredReads:
    """`read` gives the value of each key, None for what is not there, and does not raise."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._keys: list[str] = []
        self._waiting: list[tuple[int, int, asyncio.Future[Values]]] = []
        """Of the read that is about to begin: (place of the first key, number of keys, whose values they are)."""

    async def values(self, keys: Sequence[str]) -> Values:
        """The value of each key, in their order. Read after this call, with what others ask for in this turn of the
        event loop. Where the one who reads for all is cancelled, the others get None."""
        if 0 < len(self._keys) < MOST:
            mine: asyncio.Future[Values] = asyncio.get_running_loop().create_future()
            self._waiting.append((len(self._keys), len(keys), mine))
            self._keys.extend(keys)
            return await mine
        self._keys, self._waiting = [*keys], []
        all_keys, waiting = self._keys, self._waiting
        values: Values = []
        try:
            await asyncio.sleep(0)
            self._close(all_keys)
            values = await self._read(all_keys)
        finally:
            self._close(all_keys)
            for at, number, other in waiting:
                if not other.done():
                    other.set_result(values[at : at + number] or [None] * number)
        return values[: len(keys)]

    def _close(self, keys: list[str]) -> None:
        """Nobody may join the read of these keys any more."""
        if self._keys is keys:
            self._keys, self._waiting = [], []
