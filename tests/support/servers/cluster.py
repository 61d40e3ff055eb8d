"""Nodes of the embedded Valkey, or of another server, that share the slots: one is killed, slots are moved."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from core.operations.embedded import valkey
from core.operations.embedded.account import PR_SET_PDEATHSIG, _prctl
from tests.support import machine
from tests.support.processes.services import free_port
from tests.support.servers.breakable import command

SLOTS = 16384


class Node:
    def __init__(self, folder: Path, server: Path | None = None, options: tuple[str, ...] = ()) -> None:
        folder.mkdir()
        self._server = server or valkey.install() / "valkey-server"
        self.port = free_port()
        # With its bus beside it, whose port follows from the node's unless it is given.
        self.bus = free_port()
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = {
            "port": self.port,
            "cluster-enabled": "yes",
            "cluster-port": self.bus,
            "cluster-node-timeout": 1000,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "save": "",
        }
        options = [part for name, value in words.items() for part in (f"--{name}", str(value))]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._server), *options, *self._options],
                stdout=log,
                stderr=log,
                # It must not outlive a test run that is killed.
                preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def ask(self, *words: str) -> object:
        return await command(self.url, *words)

    async def text(self, *words: str) -> str:
        found = await self.ask(*words)
        assert isinstance(found, bytes)
        return found.decode()

    async def id(self) -> str:
        return await self.text("CLUSTER", "MYID")


class Cluster:
    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    async def form(self) -> None:
        for node in self.nodes:
            node.start()
        for place, node in enumerate(self.nodes):
            await machine.until(partial(answers, node))
            first, last = (SLOTS * share // len(self.nodes) for share in (place, place + 1))
            await node.ask("CLUSTER", "ADDSLOTSRANGE", str(first), str(last - 1))
            await node.ask("CLUSTER", "SET-CONFIG-EPOCH", str(place + 1))
        for node in self.nodes[1:]:
            await self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", str(node.port), str(node.bus))
        await self.whole()

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    async def whole(self) -> None:
        """Return once every node finds all slots served."""
        for node in self.nodes:
            await machine.until(partial(is_whole, node))

    async def holder(self, slot: int) -> Node:
        for node in self.nodes:
            mine = await node.id()
            for line in (await node.text("CLUSTER", "NODES")).splitlines():
                words = line.split()
                if words[0] == mine and any(covers(word, slot) for word in words[8:]):
                    return node
        raise AssertionError(f"nobody has slot {slot}")

    async def move(self, slot: int, to: Node, *, half_way: float = 0.0) -> None:
        """As `valkey-cli --cluster reshard` does. For `half_way` seconds both nodes have a part of the slot's keys."""
        source = await self.holder(slot)
        await to.ask("CLUSTER", "SETSLOT", str(slot), "IMPORTING", await source.id())
        await source.ask("CLUSTER", "SETSLOT", str(slot), "MIGRATING", await to.id())
        # Requests come meanwhile, and meet a slot whose keys are half moved.
        await asyncio.sleep(half_way / 2)
        keys = await source.ask("CLUSTER", "GETKEYSINSLOT", str(slot), "100000")
        assert isinstance(keys, list)
        for key in keys:
            await source.ask("MIGRATE", "127.0.0.1", str(to.port), key, "0", "1000", "REPLACE")
        await asyncio.sleep(half_way / 2)
        for node in (to, source, *self.nodes):
            await node.ask("CLUSTER", "SETSLOT", str(slot), "NODE", await to.id())


def covers(word: str, slot: int) -> bool:
    """Whether `0-5460` or `17` names the slot; `[93-<-…]` names one that is being moved."""
    first, _, last = word.partition("-")
    return not word.startswith("[") and int(first) <= slot <= int(last or first)


async def answers(node: Node) -> bool:
    try:
        return bool(await node.ask("PING"))
    except OSError:
        return False
    except Exception as error:
        if type(error).__module__.startswith("redis"):
            return False
        raise


async def is_whole(node: Node) -> bool:
    return await answers(node) and "cluster_state:ok" in await node.text("CLUSTER", "INFO")


@asynccontextmanager
async def formed(*nodes: Node) -> AsyncIterator[Cluster]:
    made = Cluster(list(nodes))
    try:
        await made.form()
        yield made
    finally:
        made.kill()
