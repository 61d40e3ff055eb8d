"""OpenTelemetry's own variables, which its SDK reads: of what kind each is. Of nonsense the SDK says a word in the log
and goes on with something else, or ends the process with words of its own; here it is refused as any other setting is.
"""

import os
import re
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import SecretStr

from core.settings.safe import is_collector, is_safe

COLLECTORS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Where they say that traces go."""
EXPORTER: Final = "OTEL_EXPORTER_OTLP_"
SAMPLERS: Final = frozenset(
    f"{by}{how}" for by in ("", "parentbased_") for how in ("always_on", "always_off", "traceidratio")
)
PAIRS: Final = re.compile(r"\s*[^\s=,;]+\s*=[^,]*(,\s*([^\s=,;]+\s*=[^,]*)?)*")

Kind = tuple[str, Callable[[str], bool]]
"""(what a wrong value is none of, whether a value is right)."""


def _is_number(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False


def _is_whole(text: str, low: int) -> bool:
    return bool(re.fullmatch(r"\s*\d{1,9}\s*", text, re.ASCII)) and int(text) >= low


def _one_of(*words: str) -> Kind:
    return f"word out of {', '.join(sorted(words))}", lambda text: text.strip().lower() in words


def _is_file(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.R_OK)  # noqa: PTH113  str, as the SDK has it


ADDRESS: Final[Kind] = (
    "address such as http://collector:4318, without a password",
    lambda text: is_safe(is_collector, SecretStr(text)),
)
AMOUNT: Final[Kind] = "whole number from 1 on", lambda text: _is_whole(text, 1)
LIMIT: Final[Kind] = (
    "whole number from 0 on, or unset",
    lambda text: _is_whole(text, 0) or text.strip().lower() == "unset",
)
SECONDS: Final[Kind] = "number of seconds from 0.001 to 3600", lambda text: _is_number(text, 0.001, 3600)
SHARE: Final[Kind] = "number from 0 to 1", lambda text: _is_number(text, 0, 1)
FILE: Final[Kind] = "file that can be read", _is_file
PAIRED: Final[Kind] = "list of pairs such as name=value,name=value", lambda text: bool(PAIRS.fullmatch(text))

OF_ALL: Final[Mapping[str, Kind]] = {
    "OTEL_SDK_DISABLED": _one_of("true", "false"),
    "OTEL_TRACES_EXPORTER": _one_of("otlp", "none"),
    "OTEL_TRACES_SAMPLER": _one_of(*SAMPLERS),
    "OTEL_TRACES_SAMPLER_ARG": SHARE,
    "OTEL_RESOURCE_ATTRIBUTES": PAIRED,
    "OTEL_BSP_SCHEDULE_DELAY": AMOUNT,
    "OTEL_BSP_EXPORT_TIMEOUT": AMOUNT,
    "OTEL_BSP_MAX_QUEUE_SIZE": AMOUNT,
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": AMOUNT,
    "OTEL_ATTRIBUTE_COUNT_LIMIT": LIMIT,
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": LIMIT,
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": LIMIT,
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": LIMIT,
    "OTEL_SPAN_EVENT_COUNT_LIMIT": LIMIT,
    "OTEL_SPAN_LINK_COUNT_LIMIT": LIMIT,
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": LIMIT,
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": LIMIT,
}
OF_THE_EXPORTER: Final[Mapping[str, Kind]] = {
    "ENDPOINT": ADDRESS,
    "PROTOCOL": _one_of("http/protobuf"),
    "TIMEOUT": SECONDS,
    "COMPRESSION": _one_of("none", "gzip", "deflate"),
    "HEADERS": PAIRED,
    "CERTIFICATE": FILE,
    "CLIENT_KEY": FILE,
    "CLIENT_CERTIFICATE": FILE,
}
"""After EXPORTER, or that with TRACES_."""
KINDS: Final[Mapping[str, Kind]] = {
    **OF_ALL,
    **{f"{EXPORTER}{of}{name}": kind for of in ("", "TRACES_") for name, kind in OF_THE_EXPORTER.items()},
}
QUEUE, BATCH = "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
OF_THE_SDK: Final = {QUEUE: "2048", BATCH: "512"}
"""Where they are not given."""


def is_configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether these variables say where traces go, and not that there are none."""
    names_one = any(environment.get(name) for name in COLLECTORS)
    is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = (environment.get("OTEL_TRACES_EXPORTER") or "otlp").strip().lower()
    return names_one and not is_off and exporter != "none"


def flaws(environment: Mapping[str, str]) -> list[str]:
    """What is nonsense in these variables, in a sentence each that does not repeat the value. What is empty counts as
    absent, as in all settings; where there are no traces, only where they go is looked at."""
    given = {name: value for name, value in environment.items() if name in KINDS and value}
    looked_at = given if is_configured(given) else {name: given[name] for name in COLLECTORS if name in given}
    found = [f"{name} is no {KINDS[name][0]}" for name in sorted(looked_at) if not KINDS[name][1](given[name])]
    if found or looked_at is not given:
        return found
    queue, batch = (int((OF_THE_SDK | given)[name]) for name in (QUEUE, BATCH))
    return [f"{BATCH} is more than {QUEUE}"] if batch > queue else []
