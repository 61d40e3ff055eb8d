"""What a connection may cost before anybody has signed in: bytes, seconds, descriptors."""

import heapq
import resource
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from core.settings import Settings
from core.telemetry.log import warn_seldom

RESERVE = 128
"""Descriptors for what is no client: servers, files, the event loop. Those of connection pools are added to it."""
AT_LEAST = 16
"""Connections, however few descriptors there are."""
SHARE = 64
"""One of so many connections is closed at a time, and not the oldest one alone: so looking through all of them is done
once for many newcomers."""


@dataclass(frozen=True)
class Bounds:
    """How much clients may send, and how long each part of it may take. Times are seconds, sizes bytes."""

    keep_alive: float
    """Between an answer and the next request."""
    head: float
    """From a head's first byte to its last; a new connection's first byte has as long."""
    body: float
    """From a body's first byte to its last; and what is sent has to be taken in pieces within it."""
    head_bytes: int
    connections: int

    @classmethod
    def of(cls, settings: Settings) -> "Bounds":
        """The settings', and as many connections as this process has descriptors for."""
        return cls(
            keep_alive=settings.keep_alive_seconds,
            head=settings.head_seconds,
            body=settings.body_seconds,
            head_bytes=settings.head_bytes,
            connections=most_connections(all_descriptors(), RESERVE + 2 * settings.database_pool_size),
        )


def all_descriptors() -> int:
    """As many as the administrator allows (the hard limit), for this process and those that it starts from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def most_connections(descriptors: int, reserve: int) -> int:
    """Connections of clients at once: the descriptors that are not in reserve; half of them where there are few."""
    return max(AT_LEAST, descriptors - reserve, descriptors // 2 if descriptors < 2 * reserve else 0)


class ClientConnection(Protocol):
    """As much of a client's connection as making room for another one needs."""

    last_used: float

    @property
    def is_idle(self) -> bool:
        """Nobody would miss an answer if it were closed."""

    def close(self) -> None: ...


def make_room(connections: Collection[ClientConnection], newcomer: ClientConnection) -> bool:
    """Close the connections that have been idle for longest. False where none is idle: the newcomer has to go."""
    idle = [one for one in connections if one.is_idle and one is not newcomer]
    for one in heapq.nsmallest(max(1, len(connections) // SHARE), idle, key=lambda one: one.last_used):
        one.close()
    warn_seldom("connections are as many as there are descriptors for", connections=len(connections), idle=len(idle))
    return bool(idle)
