"""What can go wrong on purpose: each error has a stable code that clients switch on. No HTTP here."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field: `path` as in `patient.document`, a stable `code`, and a message for people."""

    path: str
    code: str
    message: str


class AppError(Exception):
    """Base of all. `extra` are further members of the answer, e.g. `current` of a revision mismatch."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.extra = extra


class Malformed(AppError):
    code = "malformed_json"


class WrongMediaType(AppError):
    """A body that says to be something else than what is taken, or does not say what it is."""

    code = "unsupported_media_type"


class NotAuthenticated(AppError):
    code = "not_authenticated"


class Forbidden(AppError):
    code = "forbidden"


class NotFound(AppError):
    """There is no such thing. Raised for what belongs to another clinic as well: nobody learns that it exists."""

    code = "not_found"

    def __init__(self, detail: str = "There is no such thing here.", **extra: Any) -> None:
        super().__init__(detail, **extra)


class Conflict(AppError):
    code = "conflict"


class RevisionMismatch(AppError):
    code = "revision_mismatch"


class RevisionRequired(AppError):
    code = "revision_required"


class NotAcceptable(AppError):
    """The client takes no form that there is of what it asks for."""

    code = "not_acceptable"


class Invalid(AppError):
    """Refused input, field by field."""

    code = "invalid"

    def __init__(
        self, *errors: FieldError, detail: str = "The input is not valid.", code: str | None = None, **extra: Any
    ) -> None:
        super().__init__(detail, code=code, **extra)
        self.errors = errors

    @classmethod
    def field(cls, path: str, code: str, message: str) -> "Invalid":
        return cls(FieldError(path, code, message))


class TooManyAttempts(AppError):
    """`retry_after`: seconds."""

    code = "too_many_attempts"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(AppError):
    """A server that the answer needs is away; trying again after `retry_after` seconds is right."""

    code = "unavailable"

    def __init__(self, detail: str = "The database is not available just now.", *, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
