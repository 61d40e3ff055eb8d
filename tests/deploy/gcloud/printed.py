"""`--format` and `--flatten` of gcloud, as far as deploy/ uses them: value(…) and csv[no-heading](…) of dotted paths.

https://docs.cloud.google.com/sdk/gcloud/reference/topic/formats and …/topic/projections."""

from typing import Any


def printed(resources: list[dict[str, Any]], form: str, flatten: str) -> str:
    """What gcloud prints of those resources; without a format nothing. ValueError for a format not known here."""
    for slices in range(1, flatten.count("[]") + 1):
        path = "[]".join(flatten.split("[]")[:slices]).replace("[]", "")
        resources = [flat for one in resources for flat in flattened(one, path.split("."))]
    if not form:
        return ""
    kind, _, fields = form.rstrip(")").partition("(")
    separator = {"value": "\t", "csv[no-heading]": ","}.get(kind)
    if separator is None or not form.endswith(")"):
        raise ValueError(f"the format {form} is not known here")
    return "".join(separator.join(text(at(one, path)) for path in fields.split(",")) + "\n" for one in resources)


def flattened(resource: dict[str, Any], path: list[str]) -> list[dict[str, Any]]:
    """One resource for each item of the list that lies there, in the place of that list."""
    first, rest = path[0], path[1:]
    if not isinstance(resource.get(first), (dict, list)):
        return []
    if rest:
        return [{**resource, first: inner} for inner in flattened(resource[first], rest)]
    return [{**resource, first: item} for item in resource[first]]


def at(resource: Any, path: str) -> Any:
    for part in path.split("."):
        name, _, index = part.rstrip("]").partition("[")
        resource = resource.get(name) if isinstance(resource, dict) else None
        if index and resource is not None:
            resource = resource[int(index)] if int(index) < len(resource) else None
    return resource


def text(value: Any) -> str:
    return "" if value is None else str(value)
