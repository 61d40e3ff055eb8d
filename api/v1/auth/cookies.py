"""The cookies of a sign-in."""

from starlette.responses import Response

from core.settings import Settings


def set_cookie(answer: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, path="/", secure=settings.is_production, httponly=True, samesite="lax"
    )


def forget_session(answer: Response, settings: Settings) -> None:
    # With the attributes it was set with: browsers refuse a `__Host-` cookie, even an emptying one, without them.
    answer.delete_cookie(
        settings.session_cookie, path="/", secure=settings.is_production, httponly=True, samesite="lax"
    )
