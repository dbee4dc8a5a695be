"""The system user PostgreSQL runs as, and what that user can reach."""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

#: Where root keeps what an unprivileged user cannot reach in place.
STATE = Path("/var/lib/hub-postgres")


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot run; the message says what to do next."""


@dataclass(frozen=True)
class Account:
    """A system user, and whether we have to become that user first."""

    uid: int
    gid: int
    dropped: bool

    @classmethod
    def for_folder(cls, folder: Path) -> "Account":
        """Ourselves, or if we are root: the owner of the nearest existing folder, or `nobody`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), dropped=False)
        owner = next(part for part in (folder, *folder.parents) if part.exists()).stat().st_uid
        user = _ordinary_user(owner) or _ordinary_user("nobody")
        if user is None:
            message = "PostgreSQL does not run as root and there is no user `nobody`: start as an ordinary user."
            raise PostgresError(message)
        return cls(user.pw_uid, user.pw_gid, dropped=True)

    def reaches(self, path: Path) -> bool:
        """Whether the modes of the path and of every folder above it let this user through."""
        return not self.dropped or all(self._enters(part) for part in (path.resolve(), *path.resolve().parents))

    def _enters(self, path: Path) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return bool(status.st_mode >> shift & 1)

    def give(self, path: Path) -> None:
        """Hand over what root has just made."""
        if self.dropped:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def popen(
        self, command: Sequence[str], *, stdin: int, output: IO[bytes] | int, stale_pid: int = 0
    ) -> subprocess.Popen[bytes]:
        """Start a program as this user.

        `/` is a working folder that every user may enter; a session of its own keeps Ctrl-C for the app, which
        stops the server when it has finished; PG* variables are meant for other servers. PG_GRANDPARENT_PID names
        a process that postgres must not take for the writer of a stale postmaster.pid.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        try:
            return subprocess.Popen(
                command,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=environment | {"LC_ALL": "C", "PG_GRANDPARENT_PID": str(stale_pid)},
                start_new_session=True,
                user=self.uid if self.dropped else None,
                group=self.gid if self.dropped else None,
                extra_groups=[] if self.dropped else None,
            )
        except PermissionError as error:  # such a root as some containers have cannot become anybody else
            message = f"{command[0]} does not start as user id {self.uid} ({error}): start as an ordinary user."
            raise PostgresError(message) from error

    def run(self, command: Sequence[str], *, output: IO[bytes] | int, stdin: bytes = b"") -> int:
        """Run a program as this user to its end; its exit code."""
        with self.popen(command, stdin=subprocess.PIPE, output=output) as process:
            process.communicate(stdin)
        return process.returncode


def _ordinary_user(key: int | str) -> pwd.struct_passwd | None:
    """Look up an id or a name; not root, and not an id without a name, as on mounted volumes: initdb refuses it."""
    try:
        user = pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
    except KeyError:
        return None
    return user if user.pw_uid else None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; they belong to the owner of the one they are in, also when root makes them."""
    if not folder.exists():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, *_owner(folder.parent), follow_symlinks=False)


def open_private(path: Path, flags: int) -> int:
    """Open or make a file of mode 0600 that belongs to its folder's owner.

    O_NOFOLLOW: root must not be led elsewhere by a link in somebody's folder.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        os.fchown(descriptor, *_owner(path.parent))
    return descriptor


def _owner(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_uid, status.st_gid


def state_folder() -> Path:
    """`STATE`, which everybody may enter and only root may change."""
    try:
        STATE.mkdir(parents=True, exist_ok=True)
        STATE.chmod(0o755)
    except OSError as error:
        message = f"{STATE} cannot be made ({error}): move the data folder to where an ordinary user can reach it."
        raise PostgresError(message) from error
    return STATE


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock, waiting for it."""
    with os.fdopen(open_private(path, os.O_RDWR)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def discard(path: Path) -> None:
    """Remove a folder, or a link into `STATE` together with the folder it points to."""
    if not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    if path.resolve().parent == STATE.resolve():
        shutil.rmtree(path.resolve(), ignore_errors=True)
    path.unlink()
