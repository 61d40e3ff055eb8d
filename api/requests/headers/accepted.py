"""What a client takes: Accept and Accept-Encoding (RFC 9110, 12.5)."""


def admits(header: str, *names: str) -> bool:
    """Whether a list of names with weights admits one: by the first of `names` that it has, with a weight above zero.
    The narrowest stands first (`gzip`, `*`)."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        weight = next((word.removeprefix("q=") for word in parameters if word.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    return next((weights[name] for name in names if name in weights), 0.0) > 0
