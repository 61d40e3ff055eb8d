"""Who acts at the command line, as the audit has it."""

from core.access import Actor, Role

OPERATOR = Actor(
    user_id=0, username="(command line)", email="", role=Role.SUPERUSER, clinic_id=None, session_id=0, client="web"
)
"""No user has this id, and none a name with parentheses."""
