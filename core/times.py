"""How long things may take, where one depends on another. All are seconds; change them here, the others follow.

A time that nothing else depends on lies beside what uses it. What uses these writes `times.REQUEST`, so that a test
changes one in one place.
"""

# --- a request

REQUEST = 2.0
"""Until a request is answered, whatever it waits for: by the answer, by the last good one labelled stale, or by 503."""

# --- PostgreSQL

DATABASE = REQUEST
"""For one piece of work, the wait for a connection included."""
CONNECT = 0.75 * REQUEST
"""For a connection, a new one or one of the pool. Less than DATABASE, so that a server that is away shows as such, and
not as a slow statement."""
COMMAND = 5 * REQUEST
"""For one statement on the connection, which asyncpg gives up then. A request has left by then; a hung server sends no
error by itself, and its connections would be missing in the pool until TCP notices."""

# --- versions

POLL_EVERY = 1.0
"""Between the listener's reads of the version rows."""
VERSION_LEASE = 2 * POLL_EVERY
"""For which a read of the version rows is trusted after it was sent: one poll may be lost. It is the bound that this
service promises: no answer is older than this without saying so."""
OVERTAKEN = VERSION_LEASE
"""For which an answer that a write overtook is still given, after it was known to be right."""
DIRECT_READ = REQUEST / 4
"""For a request's own read of the version rows: what it asked for needs the rest."""

# --- fills

FILL = REQUEST
"""For computing an entry, the wait for a turn and for a connection included."""
FILL_LEASE = FILL / 2
"""For which a process that computes holds the key's lease in Redis: who waits for one that was killed has the other
half to compute it himself."""
FILL_LEASE_RENEWAL = 0.3 * FILL_LEASE
"""After which a process that still computes renews it: two renewals may be lost."""
FILL_PATIENCE = FILL
"""For which a fill waits for other processes, one after the other, before it computes whatever they do."""

# --- Redis

REDIS = REQUEST / 20
"""For one operation, the wait for a turn and connecting included; there are no retries."""
REDIS_CONNECT = 10 * REDIS
"""redis-py's own limit. An operation's is reached first."""
REDIS_PROBE = 1.0
"""For the probe in the background, which nobody waits for. A cluster's layout, or TLS to the next zone, may take longer
than an operation may."""
REDIS_PROBE_EVERY = 1.0
"""Between probes while the circuit breaker is open."""

# --- sessions

SESSION_READ = REQUEST / 2
"""For a session's look-up in PostgreSQL: what the session is for needs the rest."""
SESSION_OVERTAKEN = 1.0
"""For which a session that a write overtook still counts: it was right after the request began."""

# --- single sign-on

KEY_SET = 0.75 * REQUEST
"""For fetching the keys that prove assertions: what a sign-in asks of PostgreSQL needs the rest."""

# --- published counts

PUBLISH_EVERY = 2.0
"""Between a process's publications of what it counted."""
PUBLISHED = 3 * PUBLISH_EVERY
"""For which a publication counts. A process that was killed is forgotten then."""

# --- readiness

NOTE_EVERY = 1.0
"""Between a process's notes in Redis that it has the database."""
NOTED = VERSION_LEASE + NOTE_EVERY
"""For which such a note counts, after the read of the database that it is about."""
LOST = NOTED + 2 * POLL_EVERY
"""After its last read of the database, until a process counts as cut off from it. A note of others may still count for
NOTED after the database went away for all; two polls more, so that nobody is called cut off for that reason."""
TRY_WRITE = 1.0
"""For finding out whether the database can be written to."""
TRY_WRITE_EVERY = 5.0
"""Between two of those in the background."""

# --- shutdown

DRAIN = FILL
"""For fills under way at shutdown, and what they store."""
ENDING = 2.0
"""Until a background task that was cancelled is left behind."""
