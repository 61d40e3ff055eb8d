"""Who may administer whom: an admin users of its clinic below an admin, a superuser all (docs/design/domain.md)."""

from core.access import Actor, Role
from core.errors import Forbidden, Invalid


def require_above(actor: Actor, role: Role) -> None:
    """Raises Forbidden where the actor may neither make nor change a user of that role."""
    if actor.role is not Role.SUPERUSER and role.rank >= actor.role.rank:
        raise Forbidden("Only a superuser administers admins and superusers.")


def require_clinic_of_role(role: Role, clinic_id: int | None) -> None:
    """A superuser has no clinic, and everybody else has one. Raises Invalid."""
    if role is Role.SUPERUSER and clinic_id is not None:
        raise Invalid.field("clinic_id", "not_of_superusers", "A superuser has no clinic.")
    if role is not Role.SUPERUSER and clinic_id is None:
        raise Invalid.field("clinic_id", "required", "Say which clinic.")
