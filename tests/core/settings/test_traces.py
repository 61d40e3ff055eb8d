"""OpenTelemetry's own variables are refused in our words where they are nonsense, and by no word of its SDK."""

import re
from pathlib import Path

import opentelemetry.sdk.trace
import pytest
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from pydantic import ValidationError

from core.settings import Settings
from core.settings.traces import BATCH, COLLECTORS, KINDS, QUEUE, is_configured

COLLECTOR = {COLLECTORS[0]: "http://collector:4318"}
NONSENSE = ("p4ssw0rd", "-1", "1.5.5", "inf", "nan", "x:y", "/nonexistent/p4ssw0rd", ",=", "1e30")
RIGHT = {
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    "OTEL_TRACES_SAMPLER_ARG": "0.25",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_SDK_DISABLED": "False",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=ward 7, team=a=b",
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    QUEUE: "600",
    "OTEL_SPAN_LINK_COUNT_LIMIT": "unset",
    "OTEL_SPAN_EVENT_COUNT_LIMIT": "0",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20YTpi,x-scope=ward",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "0.5",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_CERTIFICATE": __file__,
}
ANY_TEXT = {"OTEL_SERVICE_NAME"}
NOT_OURS = re.compile(r"OTEL_(PYTHON|EXPERIMENTAL)_.*")
"""What chooses other code than is installed."""


def test_each_variable_that_the_sdk_reads_for_traces_is_of_a_kind() -> None:
    read = set()
    for module in (opentelemetry.sdk.trace, trace_exporter):
        folder = Path(str(module.__file__)).parent
        for path in [*folder.rglob("*.py"), *folder.parent.glob("_common/*.py"), *folder.parent.glob("resources/*.py")]:
            imported = re.findall(r"from opentelemetry.sdk.environment_variables import \(([^)]*)\)", path.read_text())
            read |= set(re.findall(r"OTEL_\w+", " ".join(imported)))
    assert len(read) > 25
    assert {name for name in read if not NOT_OURS.fullmatch(name)} - ANY_TEXT <= set(KINDS)


def test_no_variable_takes_nonsense_and_no_refusal_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in COLLECTOR.items():
        monkeypatch.setenv(name, value)
    for name, (_, is_right) in KINDS.items():
        wrong = [value for value in NONSENSE if not is_right(value)]
        assert len(wrong) >= len(NONSENSE) - 1, name  # of numbers one may do
        for value in wrong:
            with monkeypatch.context() as given:
                given.setenv(name, value)
                with pytest.raises(ValidationError, match=f"{name} is no ") as refused:
                    Settings()
            assert "p4ssw0rd" not in str(refused.value)


def test_what_is_right_is_taken_and_so_is_what_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (COLLECTOR | RIGHT).items():
        monkeypatch.setenv(name, value)
    Settings()
    for name in RIGHT:
        monkeypatch.setenv(name, "")
    Settings()


def test_more_in_one_go_than_may_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COLLECTORS[0], COLLECTOR[COLLECTORS[0]])
    monkeypatch.setenv(QUEUE, "500")
    with pytest.raises(ValidationError, match=f"{BATCH} is more than {QUEUE}"):
        Settings()
    monkeypatch.setenv(BATCH, "500")
    Settings()


@pytest.mark.parametrize(
    "given", [{}, COLLECTOR | {"OTEL_SDK_DISABLED": "true"}, COLLECTOR | {"OTEL_TRACES_EXPORTER": "none"}]
)
def test_where_there_are_no_traces_what_others_are_told_is_nothing_to_us(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name, value in (given | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_TRACES_SAMPLER": "xray"}).items():
        monkeypatch.setenv(name, value)
    Settings()
    assert not is_configured(given)
