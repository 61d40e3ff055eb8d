"""`ticket-home user`: for whoever has the machine, before anybody can sign in."""

import asyncio
import sys
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from sqlalchemy import func, select

from api.cli.actor import OPERATOR
from api.cli.failures import by_the_rules_of_http, explained, fail
from api.cli.installation import DataDir, installation
from api.v1.users.bodies import UserIn
from core.access import Role
from core.audit.record import record
from core.clinics.references import clinic_with_prefix
from core.db.transaction import ReadSession, WriteSession
from core.errors import NotFound, Unavailable
from core.runtime import open_runtime
from core.sessions.throttle import is_address, user_key
from core.settings import Settings
from core.users.accounts import Account, account_named
from core.users.change import UserChange, change
from core.users.create import allowed
from core.users.create import create as create_user
from core.users.models import User
from core.users.passwords.hashing import NewPassword, hash_password

commands = typer.Typer(name="user", help="Make users, set their passwords, deactivate them.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(help="The user name; case does not matter.", show_default=False)]


@commands.command("create")
def create(
    username: Username,
    email: Annotated[str, typer.Option(help="Of nobody else.", show_default=False)],
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.SUPERUSER,
    clinic: Annotated[
        str | None, typer.Option(metavar="PREFIX", help="Whose user it is, e.g. SANT; a superuser has none.")
    ] = None,
    sso: Annotated[bool, typer.Option("--sso", help="Without a password: by single sign-on alone.")] = False,
    data_dir: DataDir = None,
) -> None:
    """A new user, the first superuser among them. The password is asked, or read from standard input."""
    with explained(), installation(data_dir) as settings:
        password = None if sso else _password()
        asyncio.run(_create(settings, username, email, role, clinic, password))
        typer.echo(f"Created {role} {username}.")


@commands.command("password")
def password(username: Username, data_dir: DataDir = None) -> None:
    """A new password, asked, or read from standard input. It ends the user's sessions."""
    with explained(), installation(data_dir) as settings:
        text = _password()
        asyncio.run(_change(settings, username, UserChange({}, NewPassword(text, hash_password(text)))))
        typer.echo(f"{username} has a new password.")


@commands.command("deactivate")
def deactivate(username: Username, data_dir: DataDir = None) -> None:
    """The user may sign in no longer, and is signed out. The last active superuser stays."""
    with explained(), installation(data_dir) as settings:
        asyncio.run(_change(settings, username, UserChange({"is_active": False})))
        typer.echo(f"{username} is not active any more.")


@commands.command("unlock")
def unlock(
    username: Annotated[str | None, typer.Argument(help="The user name or the email.", show_default=False)] = None,
    address: Annotated[
        str | None, typer.Option(metavar="IP", help="Let everybody at this address try again.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Whoever guessed too often may try again at once: a user, an address, or both."""
    if username is None and address is None:
        fail("Name a user, or an --address.")
    if address is not None and not is_address(address):
        fail(f"{address} is no IP address.")
    with explained(), installation(data_dir) as settings:
        asyncio.run(_unlock(settings, username, address))
        typer.echo(f"{' and '.join(filter(None, (username, address)))} may try again.")


def _password() -> str:
    """Asked twice and not shown; of what is no terminal the first line."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    line = sys.stdin.readline()
    if not line:
        fail("No password: standard input is empty.")
    return line.removesuffix("\n").removesuffix("\r")


async def _create(
    settings: Settings, username: str, email: str, role: Role, prefix: str | None, password: str | None
) -> None:
    async with open_runtime(settings, serves=False) as runtime:
        clinic_id = None
        if prefix is not None:
            clinic_id = await runtime.database.read(lambda session: clinic_with_prefix(session, prefix))
        given: dict[str, Any] = {"username": username, "email": email, "role": role, "clinic_id": clinic_id}
        with by_the_rules_of_http():
            asked = UserIn(**given, password=None if password is None else SecretStr(password))
        new = allowed(OPERATOR, asked.new())
        hashed = None if password is None else await runtime.passwords.new(password)
        await runtime.database.write(lambda session: create_user(session, OPERATOR, new, hashed))


async def _change(settings: Settings, username: str, asked: UserChange) -> None:
    async def work(session: WriteSession) -> None:
        named = select(User.id).where(func.lower(User.username) == func.lower(username))
        user_id = await session.scalar(named)
        if user_id is None:
            raise NotFound(f"Nobody is called {username}.")
        await change(session, OPERATOR, user_id, asked)

    async with open_runtime(settings, serves=False) as runtime:
        await runtime.database.write(work)


async def _unlock(settings: Settings, username: str | None, address: str | None) -> None:
    async def look_up(session: ReadSession) -> Account | None:
        return await account_named(session, username or "")

    async with open_runtime(settings, serves=False) as runtime:
        lifted = True
        if username is not None:
            found = await runtime.database.read(look_up)
            if found is None:
                raise NotFound(f"Nobody is called {username}.")
            lifted = await runtime.throttle.unlock(user_key(found.id, username))
            await runtime.database.write(
                lambda session: record(session, OPERATOR, "user.unlocked", "user", found.id, clinic_id=found.clinic_id)
            )
        if address is not None:
            lifted = await runtime.throttle.unlock_address(address) and lifted
    if not lifted:
        raise Unavailable("Redis is away: the counts lie in the serving processes, which a command cannot reach.")
