"""What a route's cached answer depends on, and how long it may be kept."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from pydantic import TypeAdapter

from core.cache.versions.map import Vector, VersionMap, token_of

TOPICS = ("tickets", "figures", "catalogs", "clinics", "users")


@dataclass(frozen=True, slots=True)
class Policy:
    """`topics` are those of the entry's clinic (for the network: of all clinics), `global_topics` those of clinic 0."""

    name: str
    ttl: float
    """Seconds. Garbage collection and prudence; it is versions and `valid_until` that keep an entry right."""
    shape: str
    topics: tuple[str, ...]
    global_topics: tuple[str, ...] = ()

    def vector(self, versions: VersionMap, clinic_id: int | None) -> Vector:
        return versions.vector(clinic_id, self.topics, self.global_topics)

    def token(self, versions: VersionMap, clinic_id: int | None) -> str:
        return versions.token(clinic_id, self.topics, self.global_topics)

    def token_of(self, vector: Vector, clinic_id: int | None) -> str:
        return token_of(vector, clinic_id, self.topics, self.global_topics)


@dataclass(frozen=True, slots=True)
class EntryId:
    """What is asked for: `clinic_id` None is the network, `parameters` a digest."""

    policy: Policy
    clinic_id: int | None
    parameters: str


def shape_of(model: Any, code_version: int = 1) -> str:
    """Digest of the answer's JSON schema and of a number that the loader's author raises with its meaning.

    A deploy that changes an answer's shape meets no bytes of the old one.
    """
    schema = TypeAdapter(model).json_schema(mode="serialization")
    return blake2b(f"{code_version}:{schema!r}".encode(), digest_size=4).hexdigest()
