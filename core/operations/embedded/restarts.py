"""Starting the data folder's servers again when the process that had started them ends.

Servers that `serve` started end with it. A second `serve` on that folder has joined them, and starts them again then:
they have the same addresses, so whoever uses them waits as for any restart.
"""

import os
import select
import threading
from collections.abc import Callable, Set

from core.operations.embedded.files import Kind
from core.operations.embedded.servers import CannotStart, EmbeddedServers

Start = Callable[[Set[Kind]], EmbeddedServers]


class RestartedServers:
    """Servers that run for as long as this process does, whoever started them.

    `start` starts servers of these kinds, or joins those that run. `lost` is called, once, from another thread, where
    they could not be started again.
    """

    def __init__(self, wanted: Set[Kind], start: Start, lost: Callable[[CannotStart], None]) -> None:
        """Raises CannotStart."""
        self._start = start
        self._lost = lost
        self._ending, self._end = os.pipe()
        self.servers = start(wanted)
        self._watching = threading.Thread(target=self._watch, daemon=True, name="the folder's servers")
        self._watching.start()

    def stop(self) -> None:
        """Watch no more, and leave the servers: they end where nobody else uses them."""
        os.write(self._end, b"x")
        self._watching.join()
        self.servers.stop()
        os.close(self._ending)
        os.close(self._end)

    def _watch(self) -> None:
        while joined := self.servers.joined():
            watched: dict[int, Kind] = {supervisor.fileno(): kind for kind, supervisor in joined.items()}
            ready, _, _ = select.select([self._ending, *watched], [], [])
            if self._ending in ready:
                return
            # A supervisor says nothing more: readable means that it has ended, and its server before it.
            ended: set[Kind] = {watched[descriptor] for descriptor in ready}
            try:
                again = self._start(ended)
            except CannotStart as error:
                self._lost(error)
                return
            for kind in ended:
                joined[kind].close()
            self.servers = EmbeddedServers(
                postgres=again.postgres or self.servers.postgres, valkey=again.valkey or self.servers.valkey
            )
