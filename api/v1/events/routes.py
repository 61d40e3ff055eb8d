"""What has changed, told as it happens."""

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from api.requests.dependencies import CurrentUser, ReadScope, RuntimeState
from api.requests.headers.accepted import admits
from api.requests.headers.cache_version import versions_required
from api.requests.headers.request_headers import headers_of
from api.requests.routing import Router
from api.responses import Responses, signed_in
from api.v1.events.event_stream import MEDIA_TYPE, EventStream
from core.clinics.references import require_known
from core.db.transaction import ReadSession
from core.errors import NotAcceptable
from core.events.events import BEAT

router: Router = Router(prefix="/v1/events", tags=["events"])

DESCRIPTION = """
A stream of server-sent events, without an end of its own (read it by `EventSource` or `fetch`; no client that waits
for a whole answer gets one). What it tells is that something is new, and never what: fetch it with `version` as
`Cache-Version`, and the answer is at least that new, on any process.

* `versions`, first: `{"versions": [{"clinic_id", "topic", "version"}], "more"}`, all there are, in several events
  where they are many (`more`). Fetch what differs from what you have. It comes again where all may have changed.
* `change`: one `{"clinic_id", "topic", "version"}`, as it happens. Who reads slowly is told the newest of each
  topic only.
* `stale`: the service does not know any more what is current. Show it; the next `versions` ends it.
* `end`: `{"reason", "retry_ms"}`, and then the end of the answer. Come again after that time, which differs for
  each client. `session_ended`, `access_changed`: sign in; `deploy`, `time`, `unverified`: just come again;
  `replaced`: the same session has opened newer streams, share one.

Topics are `tickets`, `figures` (of dashboards), `catalogs` and `clinics`; `clinic_id` is null for what is of the
network. Take unknown topics, and unknown events, as such. A comment comes after 15 seconds without a word, and after
30 of silence the connection is gone. Whoever shows what was read asks for `beat=1`: each word says that
nothing else has changed, but `stale` and what follows it until the next `versions`, so two seconds of silence say that
what is shown may be old. `id` says nothing, and
`Last-Event-ID` is not read: each stream begins with all versions. A stream counts as no use of its session. Fetch at
most once a second.
"""
EXAMPLE = [
    {
        "retry": 2417,
        "event": "versions",
        "data": '{"versions":[{"clinic_id":5,"topic":"tickets","version":"5/tickets=4242424242.9f3c5d8e3f2a1b0c"}],'
        '"more":false}',
    },
    {
        "id": "6f1c2d0a-1",
        "event": "change",
        "data": '{"clinic_id":5,"topic":"tickets","version":"5/tickets=4242424299.1b0c9f3c5d8e3f2a"}',
    },
]
EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "examples": ["change"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string"},
        "retry": {"type": "integer"},
    },
}
"""Each of them. `itemSchema` is OpenAPI's keyword for that since 3.2, which reads a stream's `schema` as an array's."""


Beat = Annotated[int, Query(ge=1, le=int(BEAT), description="Seconds of silence after which a comment comes.")]


class Events(Response):
    media_type = MEDIA_TYPE


def stream() -> Responses:
    content: dict[str, Any] = {"schema": {"type": "array", "items": EVENT}, "itemSchema": EVENT, "example": EXAMPLE}
    answer = {"description": "The stream.", "content": {MEDIA_TYPE: content}}
    return {200: answer, **signed_in(406)}


@router.get(
    "",
    operation_id="eventsGet",
    summary="What has changed, as it happens",
    description=DESCRIPTION,
    response_class=Events,
    responses=stream(),
)
async def events_get(
    request: Request, runtime: RuntimeState, actor: CurrentUser, scope: ReadScope, beat: Beat = int(BEAT)
) -> Response:
    accepted = request.headers.getlist("accept")
    if accepted and not admits(", ".join(accepted), MEDIA_TYPE, "text/*", "*/*"):
        raise NotAcceptable(f"This is {MEDIA_TYPE}, which your Accept does not admit.")
    if scope.clinic_id != actor.clinic_id:

        async def work(session: ReadSession) -> None:
            await require_known(session, scope)

        await runtime.database.read(work)
    required = versions_required(headers_of(request.scope), runtime, scope.clinic_id)
    if runtime.direct.behind(required):
        await runtime.direct.require(required)
    return EventStream(runtime.events, scope.clinic_id, request.state.token, request.state.session, beat)
