"""A read that the cache answers: what is asked for and how it is computed, in one object."""

from dataclasses import dataclass, field

from core.cache.fills.fill import Loader
from core.cache.keys import Parameters, digest
from core.cache.policy import EntryId, Policy


@dataclass(frozen=True, slots=True)
class CachedRead:
    """Made by the feature that computes it, from a scope and filters: `dashboard(scope, filters)`.

    Parameters and loader come from the same filters there, and the clinic from the same scope. Were they given one by
    one they could disagree, and the answer to one question would be kept under another's key. Holds no request: it may
    be kept and used again.
    """

    policy: Policy
    clinic_id: int | None
    """None: the network."""
    parameters: Parameters
    """All that decides the answer beside the clinic."""
    load: Loader
    entry_id: EntryId = field(init=False)
    """Where its entries lie, whatever their versions."""
    place: tuple[str, int | None, str] = field(init=False)
    """The same in plain words: two reads with the same place ask the same."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "entry_id", EntryId(self.policy, self.clinic_id, digest(self.parameters)))
        object.__setattr__(self, "place", (self.policy.name, self.clinic_id, self.entry_id.parameters))
