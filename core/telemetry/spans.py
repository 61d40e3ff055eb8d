"""OpenTelemetry traces, where the standard variables say where they go (OTEL_EXPORTER_OTLP_ENDPOINT and its kin).

A span says what was done and how it ended: routes, policies, statements without their parameters, ids. Nothing that a
client sent is in it, and no error's message, for both may name a patient. The provider is ours alone and not the
process's: no library adds spans of its own making.

Where nothing is configured no request asks here at all: what makes spans stands in the place of what does not
(core/cache/traced.py).
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, cast

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span, use_span

from core.settings.traces import KINDS

NAME: Final = "ticket-home"
LAST_SPANS: Final = 1.0
"""Seconds at shutdown for what is not sent yet."""


class Tracing:
    """What makes and sends the spans of one process. `served`: its release and replica, in each span's resource."""

    def __init__(self, served: Mapping[str, str]) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        for name in KINDS:
            if not os.environ.get(name):
                os.environ.pop(name, None)  # the SDK takes what is empty for a number
        ours = {"service.version": served["release"], "service.instance.id": f"{served['replica']}/{os.getpid()}"}
        ours |= {"service.name": os.environ.get("OTEL_SERVICE_NAME") or NAME}
        self._provider = TracerProvider(resource=Resource.create(ours), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer: Tracer = self._provider.get_tracer(NAME, served["release"])

    def close(self) -> None:
        """Send what is not sent yet; after LAST_SPANS the rest is left behind."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True, name="last spans")
        ending.start()
        ending.join(LAST_SPANS)


@contextmanager
def spanned(
    tracer: Tracer,
    name: str,
    attributes: Mapping[str, str],
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    context: Context | None = None,
) -> Iterator[Span]:
    """A span around the block that it is about. Of an error it has the kind, without its message."""
    span = tracer.start_span(name, context=context, kind=kind, attributes=dict(attributes))
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except BaseException as error:
            failed(span, error)
            raise


def is_for_request() -> bool:
    """Whether what happens now is part of a request that leaves a span. Spans of what goes on beside requests (polls,
    the canary, refreshes) would belong to nothing."""
    return get_current_span().is_recording()


def failed(span: Span, error: BaseException) -> None:
    """Note what went wrong in a span."""
    span.set_attribute("error.type", cast("str", getattr(error, "sqlstate", None) or type(error).__name__))
    span.set_status(Status(StatusCode.ERROR))
