"""Which user the servers run as. PostgreSQL refuses root, so a process started by root gives its rights away first."""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = "nobody"

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

LINUX = sys.platform == "linux"


class Unreachable(Exception):
    """The servers' user cannot reach a path, and root may not lend it that right."""


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """`drop`: this process is root, and becomes the account in each child.

    `capability` is what such a child keeps: the right to pass folders that are closed to it (/root, pytest's), so
    that nobody's permissions have to be opened.
    """

    uid: int
    gid: int
    name: str
    drop: bool
    capability: int | None = None

    def own(self, *paths: Path) -> None:
        """Give what root made to the account, so that its user can go on with the same folder."""
        if self.drop:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def enter(self) -> None:
        """In a child between fork and exec: become the account, and die with the parent."""
        if self.drop:
            if self.capability is not None:
                # setuid then takes no capability away (we do, below), and access(), by which initdb looks for its
                # programs, reckons with what is left.
                _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)
            if self.capability is not None:
                _keep_only(self.capability)
        # After setuid, which clears it.
        if LINUX:
            _prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def account_for(folder: Path) -> ServerAccount:
    """The account that servers of `folder` run as: this process's own, unless it is root.

    For root: whoever owns the PostgreSQL cluster in the folder, else the folder or its nearest parent, else `nobody`.
    """
    if os.geteuid() != 0:
        uid = os.geteuid()
        return ServerAccount(uid, os.getegid(), _name(uid), drop=False)
    for path in (folder / "postgres", folder, *folder.parents):
        if path.exists():
            owner = path.stat().st_uid
            # initdb looks its user up by name.
            if owner != 0 and (known := _known(owner)) is not None:
                return ServerAccount(owner, known.pw_gid, known.pw_name, drop=True)
            if owner == 0 and path != folder / "postgres":
                break
    found = pwd.getpwnam(UNPRIVILEGED)
    return ServerAccount(found.pw_uid, found.pw_gid, found.pw_name, drop=True)


def reaching(account: ServerAccount, paths: Iterable[Path]) -> ServerAccount:
    """The account with the least right that it needs to read `paths`. Raises Unreachable."""
    wanted = list(paths)
    if not account.drop or _can_read(account, wanted):
        return account
    if LINUX:
        for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
            able = ServerAccount(account.uid, account.gid, account.name, drop=True, capability=capability)
            if _can_read(able, wanted):
                return able
    raise Unreachable(
        f"started by root, the servers run as user {account.name!r}, who cannot reach {wanted[0]} or {wanted[-1]}. "
        "Start as an ordinary user, or keep the project and its data in a folder that others may enter"
    )


def in_child(account: ServerAccount, work: Callable[[], None]) -> bool:
    """Run `work` as the account in a child. True where it did not raise. Only in a process of one thread."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            account.enter()
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def adopt_orphans() -> None:
    """Have grandchildren whose parent dies become this process's children, so that it can end them (Linux)."""
    if LINUX:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def environment() -> Mapping[str, str]:
    """What the servers see: neither PG* variables nor a locale of the caller's."""
    return {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/"}


def _can_read(account: ServerAccount, paths: list[Path]) -> bool:
    def read_all() -> None:
        for path in paths:
            # access() is what PostgreSQL asks, and it knows less of capabilities than open() does.
            if not os.access(path, os.R_OK | os.X_OK):
                raise PermissionError(path)

    return in_child(account, read_all)


def _known(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _name(uid: int) -> str:
    known = _known(uid)
    return known.pw_name if known else str(uid)


def _prctl(option: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if libc.prctl(option, *padded) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")


def _keep_only(capability: int) -> None:
    """Of root's capabilities keep one, also across exec (as an ambient one)."""
    libc = ctypes.CDLL(None, use_errno=True)
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; the second triple holds capabilities from 32 on
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if libc.capset(header, data) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"capset: {os.strerror(code)}")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
