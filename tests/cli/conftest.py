"""The command line run in this process, on a database of its own."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.cli import output
from app.cli.main import main
from app.kit.db import asyncpg_url
from tests.conftest import NOW, Cluster, Scenario


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Hub:
    """The command line with its database and data folder."""

    url: str
    data_dir: Path
    call: Callable[..., Ended]

    def __call__(self, *arguments: str) -> Ended:
        return self.call(*arguments)

    def sql(self, statement: str) -> Any:
        """Run one statement in the database; its first figure, if it has rows."""
        return asyncio.run(self._sql(statement))

    async def _sql(self, statement: str) -> Any:
        engine = create_async_engine(asyncpg_url(self.url), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            result = await connection.execute(text(statement))
            found = result.scalar() if result.returns_rows else None
        await engine.dispose()
        return found


@contextmanager
def data_folder() -> Iterator[Path]:
    """A data folder that an unprivileged PostgreSQL can enter, as pytest's own cannot be."""
    folder = Path(tempfile.mkdtemp(prefix="hub-cli-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder for one test."""
    with data_folder() as folder:
        yield folder


@pytest.fixture
def call(data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command line in this process: `call("clear", "--dry-run")`."""
    for name in ("HUB_API_KEY", "HUB_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_DATA_DIR", str(data_dir))
    monkeypatch.setenv("HUB_CLOCK_AT", NOW.isoformat())

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        code = ended.value.code
        said = capsys.readouterr()
        return Ended(code if isinstance(code, int) else 0, said.out, said.err)

    return call


def hub_on(
    cluster: Cluster, template: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Ended]
) -> Iterator[Hub]:
    name = "hub_test_cli"
    url = asyncio.run(cluster.create(name, template))
    monkeypatch.setenv("DATABASE_URL", url)
    yield Hub(url, data_dir, call)
    asyncio.run(cluster.drop(name))


@pytest.fixture
def hub(
    cluster: Cluster,
    scenario_template: Scenario,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[..., Ended],
) -> Iterator[Hub]:
    """The command line on a copy of the cleared opening scenario."""
    yield from hub_on(cluster, scenario_template.template, data_dir, monkeypatch, call)


@pytest.fixture
def new_hub(
    cluster: Cluster,
    reference_template: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[..., Ended],
) -> Iterator[Hub]:
    """The command line on a database with reference data and nobody registered."""
    yield from hub_on(cluster, reference_template, data_dir, monkeypatch, call)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Pretend that somebody looks at the result, on a terminal so many characters wide."""

    def terminal(width: int) -> None:
        monkeypatch.setattr(output.Output, "as_json", False)
        monkeypatch.setattr(output.console, "_width", width)

    return terminal
