"""What requests leave to be done beside their answers, awaited."""

from core.runtime import Runtime
from tests.support.machine import PATIENCE, until


async def settled(runtime: Runtime) -> None:
    """Entries, copies of sessions and their last use are stored; what gathers for seconds on purpose goes on."""
    sessions = runtime.sessions
    await until(lambda: len(sessions._background) == (sessions._seen._flushing is not None))
    await runtime.cache.drain(PATIENCE)
