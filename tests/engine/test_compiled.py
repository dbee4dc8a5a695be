"""Kernels are compiled in set-up and at the start of a process, never while a market is cleared."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: prints how often numba compiled: until a clearing is imported, and while one is made
COUNT = """
from numba.core import event
with event.install_recorder("numba:compile") as started:
    from app.engine.clear import clear
from tests.engine.markets import random_market
with event.install_recorder("numba:compile") as asked:
    clear(random_market(7, orders=6, pools=2, tight=True, fills=0.3))
print(len(started.buffer), len(asked.buffer))
"""


@pytest.fixture
def copied() -> Iterator[Path]:
    """A copy of the engine that everybody may read, without any cache."""
    folder = Path(mkdtemp(prefix="hub-engine-"))
    folder.chmod(0o755)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "app", folder / "app", ignore=ignored)
    (folder / "tests" / "engine").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "engine" / "markets.py", folder / "tests" / "engine")
    yield folder
    unlock(folder)
    shutil.rmtree(folder)


def counted(folder: Path) -> list[int]:
    """Run COUNT in a process of its own, which writes no byte code and cannot write where modes forbid it."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
    environment.pop("NUMBA_CACHE_DIR", None)
    plain = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    command = [*plain, sys.executable, "-c", COUNT]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True, text=True)
    return [int(number) for number in done.stdout.split()]


def lock(folder: Path) -> None:
    """Leave nobody the right to write."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def unlock(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def set_up(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "app.engine.compiled"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        check=True,
    )


def test_nothing_is_compiled_after_set_up_and_nothing_in_a_clearing_even_before(copied: Path) -> None:
    """The control is the first start: it compiles, while it imports."""
    without, never = counted(copied)
    assert without > 0
    assert never == 0
    set_up(copied)
    assert counted(copied) == [0, 0]


needs_modes = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="to the superuser modes forbid nothing"
)


@needs_modes
def test_who_may_only_read_takes_what_set_up_compiled(copied: Path) -> None:
    set_up(copied)
    lock(copied)
    assert counted(copied) == [0, 0]


@needs_modes
def test_who_may_write_nowhere_compiles_at_its_start(copied: Path) -> None:
    lock(copied)
    started, asked = counted(copied)
    assert started > 0
    assert asked == 0


#: clears markets without numba, and prints what must be the same with it
FALLBACK = """
import sys
sys.modules["numba"] = None
from app.engine.compiled import COMPILED
from app.engine.clear import clear
from tests.engine.markets import random_market
assert not COMPILED
for seed in range(60):
    book = random_market(seed, orders=5, pools=1 + seed % 2, tight=seed % 4 == 1, fills=0.3 * (seed % 2 == 0))
    certificate = clear(book).certificate
    print(certificate.surplus_idr, certificate.status, len(certificate.checked))
"""


def test_without_numba_the_library_finds_the_same_surplus_and_the_audit_passes() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    programs = (FALLBACK, FALLBACK.replace('sys.modules["numba"] = None', "").replace("not COMPILED", "COMPILED"))
    lines = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True, text=True
        ).stdout
        for program in programs
    ]
    assert lines[0] == lines[1] != ""
