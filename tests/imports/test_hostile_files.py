"""Files that mean no good: refused with a reason, cheaply, before or instead of being parsed."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, table

from app.imports import gate, reader, sandbox
from app.imports.errors import REASONS, UnreadableFile
from tests.imports.conftest import PONGGOK, taken, upload
from tests.imports.files import GOOD, HOSTILE, many_strings

#: where the parser, not we, finds the words, any of them will do
ALSO = {
    "empty_or_format": {"empty", "format"},
    "too_much_or_format": {"too_much", "format", "damaged"},
    "refused": {"damaged", "format", "no_header", "no_rows", "too_much"},
}


def made(name: str) -> bytes:
    with warnings.catch_warnings():
        # a part twice is what one of them is about
        warnings.simplefilter("ignore")
        return HOSTILE[name][0]()


def reason_of(problem: dict[str, Any]) -> str:
    if problem["code"] != "unreadable_file":
        return str(problem["code"])
    return next(reason for reason, said in REASONS.items() if said.id == problem["detail"])


async def listings(api: Any) -> int:
    async with api.database.reader() as session:
        return await session.scalar(select(func.count()).select_from(table("listings"))) or 0


def test_there_are_forty() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_is_refused_with_a_reason_and_nothing_is_stored(scenario: Any, name: str) -> None:
    key, wanted = scenario.keys.producers[PONGGOK], HOSTILE[name][1]
    before = await listings(scenario)
    answer = await upload(scenario, made(name), key)
    problem = answer.json() if answer.status_code != 202 else (await taken(scenario, answer, key))[0]["problem"]
    assert problem["status"] == 422, problem
    assert reason_of(problem) in ALSO.get(wanted, {wanted}), problem
    assert problem["errors"][0]["pointer"] == "/file"
    assert await listings(scenario) == before


async def test_a_good_file_passes() -> None:
    """The control: it is not everything that is refused."""
    (sheet,) = await sandbox.parse(GOOD)
    assert sheet.rows[1][1] == "Telur ayam ras"


@pytest.mark.parametrize("check", [gate.check_directory, gate.check_sheets])
def test_what_parts_would_unzip_to_is_bounded(monkeypatch: pytest.MonkeyPatch, check: Any) -> None:
    check(GOOD)
    monkeypatch.setattr(gate, "MOST_BYTES", 1000)
    with pytest.raises(gate.Refused, match="too_much"):
        check(GOOD)


async def test_the_child_finds_this_program_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where the program is not installed, as in an image: only PYTHONPATH leads to it there."""
    folder = tmp_path / "app" / "imports"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "reader.py").write_text(
        "import json, os, sys\n"
        "expected = {'PYTHONPATH', 'LC_CTYPE'}  # the second is Python's own\n"
        "alone = os.environ.keys() <= expected and '' not in sys.path\n"
        "print(json.dumps({'refused': 'macros' if alone else 'encoding'}))\n"
    )
    monkeypatch.setattr(sandbox, "CHECKOUT", tmp_path)
    with pytest.raises(UnreadableFile) as caught:
        await sandbox.parse(GOOD)
    assert caught.value.reason == "macros"


#: parses a file from stdin, and says on stdout how many megabytes that took at most
MEASURED = """
import sys
from app.imports import gate, reader
{prepare}
content = sys.stdin.buffer.read()
try:
    list(reader.sheets(content))
except (gate.Refused, MemoryError):
    pass
# not ru_maxrss, which begins with that of the process that started this one
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024)
"""
GATE_OPEN = "gate.check_directory = gate.check_sheets = lambda content: None"


def megabytes(content: bytes, prepare: str = "") -> int:
    """Return the most memory that parsing took; a process that its limits ended took no more than they say."""
    program = [sys.executable, "-c", MEASURED.format(prepare=prepare)]
    ended = subprocess.run(program, input=content, capture_output=True, check=False)
    return int(ended.stdout) if ended.returncode == 0 else reader.MEMORY // 1024**2


def test_the_gate_keeps_a_table_up_to_a_cell_far_away_from_being_laid_out() -> None:
    content = made("a row far away")
    assert megabytes(content) < 80
    assert megabytes(content, GATE_OPEN) > 200, "the control: without the gate it is"


def test_the_limits_end_what_the_gate_cannot_see() -> None:
    content = many_strings(4000)
    assert len(content) < 500_000
    most = reader.MEMORY // 1024**2
    assert megabytes(content, "reader.take_limits()") <= most
    assert megabytes(content) > most, "the control: without limits it takes more"


async def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "PATIENCE", 0.01)
    with pytest.raises(UnreadableFile) as caught:
        await sandbox.parse(GOOD)
    assert caught.value.reason == "too_much"


def test_the_child_may_use_little() -> None:
    program = "from app.imports import reader; reader.take_limits(); bytearray(10**9)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"MemoryError" in ended.stderr
    spin = "from app.imports import reader; reader.CPU_SECONDS = 1; reader.take_limits()\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", spin], capture_output=True, check=False).returncode < 0
