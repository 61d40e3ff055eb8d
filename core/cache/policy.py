"""What a route's cached answer depends on, and how long it may be kept."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from pydantic import TypeAdapter

from core.cache.versions.map import VersionMap
from core.cache.versions.vector import Vector

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

    def vector(self, versions: Vector, clinic_id: int | None) -> Vector:
        """Those of `versions` that an entry of `clinic_id` (None: the network) depends on."""
        vector = {(0, topic): versions.get((0, topic), 0) for topic in self.global_topics}
        if clinic_id is not None:
            return vector | {(clinic_id, topic): versions.get((clinic_id, topic), 0) for topic in self.topics}
        return vector | {key: version for key, version in versions.items() if key[0] and key[1] in self.topics}

    def token(self, versions: Vector, clinic_id: int | None) -> str:
        """What `vector` gives, as it stands in a key: hexadecimal numbers; for the network (None) a digest.

        `versions` may be all that there are or that vector alone: the token is the same.
        """
        if clinic_id is None:
            named = sorted((key, version) for key, version in self.vector(versions, None).items() if version)
            return blake2b(repr(named).encode(), digest_size=12).hexdigest()
        numbers = [versions.get((clinic_id, topic), 0) for topic in self.topics]
        numbers += [versions.get((0, topic), 0) for topic in self.global_topics]
        return ".".join([f"{number:x}" for number in numbers])

    def token_now(self, versions: VersionMap, clinic_id: int | None) -> str:
        """The token of what the map knows at this moment. The network's is computed once per change of any version."""
        if clinic_id is None:
            return versions.derived(self, lambda: self.token(versions.rows, None))
        return self.token(versions.rows, clinic_id)


@dataclass(frozen=True, slots=True)
class EntryId:
    """What an entry answers, whatever versions it was computed under."""

    policy: Policy
    clinic_id: int | None
    parameters: str


def shape_of(model: Any, code_version: int = 1) -> str:
    """Digest of the answer's JSON schema and of a number that the loader's author raises with its meaning.

    A deploy that changes an answer's shape meets no bytes of the old one.
    """
    schema = TypeAdapter(model).json_schema(mode="serialization")
    return blake2b(f"{code_version}:{schema!r}".encode(), digest_size=4).hexdigest()
