"""`ticket-home doctor`: what is not as it should be, what to do about it, and rebuilding what can be rebuilt.

Nothing of it serves requests, and what it finds out it finds out by itself: on connections of its own, without the
pool, the version map or the breaker, which hide what is wrong from clients.
"""
