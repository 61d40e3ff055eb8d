"""What a notification says: the versions that a commit made, or that whoever hears it is to poll.

5/figures=17 0/clinics=3                     from a transaction that notifies itself (migration 0017)
@1c7f… 5/figures=17                          from a process, after its commits (core/cache/versions/push.py)
poll                                         where versions are not known, or too many
"""

from typing import NamedTuple

from core.cache.versions.vector import Vector

CHANNEL = "ticket_home"
POLL = "poll"
LONGEST = 7900
"""Bytes. NOTIFY takes 8,000 at most."""
OF_TIMELINE = "@"


class Told(NamedTuple):
    """What a notification tells."""

    versions: Vector
    timeline: str | None
    """Of which they are; None where that needs no saying: a transaction notifies the server that it is committed in."""


def payload_of(told: Told) -> str:
    """ "poll" where it would be too long."""
    words = [f"{clinic_id}/{topic}={version}" for (clinic_id, topic), version in told.versions.items()]
    if told.timeline is not None:
        words.insert(0, OF_TIMELINE + told.timeline)
    payload = " ".join(words)
    return payload if len(payload.encode()) < LONGEST else POLL


def parse_payload(payload: str) -> Told | None:
    """None where it says "poll", or is none of ours."""
    words = payload.split()
    timeline = words.pop(0)[len(OF_TIMELINE) :] if words and words[0].startswith(OF_TIMELINE) else None
    versions: Vector = {}
    try:
        for word in words:
            name, version = word.rsplit("=", 1)
            clinic, topic = name.split("/", 1)
            versions[int(clinic), topic] = int(version)
    except ValueError:
        return None
    return Told(versions, timeline)
