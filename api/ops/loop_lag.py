"""How late the event loop is: the longest that anything held it up in the last seconds."""

from core.telemetry.longest import Longest

LOOP_LAG = Longest()
"""Of this process's loop, in seconds. Measured where it is watched (api/server/watchdog.py); 0 where nobody does."""
