"""Files as people write them, and what exactly comes of each: the result, the postings, the file with its errors.

Beside `NAME.csv` or `NAME.xlsx` lies `NAME.json` with who sends it and what comes of it, and for CSV
`NAME.kesalahan.csv`, which is what the hub gives back.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.imports.conftest import download, taken, upload

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(file for file in FOLDER.iterdir() if file.suffix in (".csv", ".xlsx") and "." not in file.stem)
#: what differs each time
NEW = ("id", "organization", "created_at", "updated_at", "version")


def key_of(api: Any, sender: str) -> str:
    keys: dict[str, str] = {"hub": api.keys.hub, **api.keys.producers, **api.keys.buyers}
    return keys[sender]


def content_of(file: Path) -> bytes:
    return file.read_bytes()


async def outcome(api: Any, file: Path, *, kind: str, sender: str) -> tuple[dict[str, Any], bytes]:
    """Return what comes of a file, as JSON keeps it, and the file with its errors."""
    key = key_of(api, sender)
    before = {one["id"] for one in await api.walk(f"/v1/{kind}?limit=200", key)}
    answer = await upload(api, content_of(file), key, name=file.name, kind=kind)
    job, result = await taken(api, answer, key)
    posted = [one for one in await api.walk(f"/v1/{kind}?limit=200", key) if one["id"] not in before]
    told = [{name: value for name, value in one.items() if name not in NEW} for one in posted]
    told.sort(key=lambda one: json.dumps([one["external_ref"], one], sort_keys=True))
    returned = await download(api, f"{job['result_url']}/workbook", key)
    return {"kind": kind, "sender": sender, "result": result, "posted": told}, returned.content


def test_there_are_some() -> None:
    assert len(FILES) >= 4


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_of_a_file_comes_what_lies_beside_it(scenario: Any, file: Path) -> None:
    expected = json.loads(file.with_suffix(".json").read_text())
    found, returned = await outcome(scenario, file, kind=expected["kind"], sender=expected["sender"])
    assert found == expected
    beside = file.with_suffix(".kesalahan.csv")
    if file.suffix == ".csv":
        assert returned == beside.read_bytes()
    else:
        assert returned.startswith(b"PK")
