"""Version vectors: which versions an answer was computed under, or has to reach."""

Vector = dict[tuple[int, str], int]
"""(clinic, topic) → version; clinic 0 is the network and global rows. What is absent counts as version 0."""


def at_least(vector: Vector, floor: Vector) -> bool:
    """Whether `vector` has reached every version in `floor`."""
    return vector == floor or all(vector.get(key, 0) >= version for key, version in floor.items())
