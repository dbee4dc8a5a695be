"""How long a large spreadsheet takes from its upload to its last row, through a server and a worker."""

import csv
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from openpyxl import Workbook

from benchmarks.stand import Stand, running_stand

PRODUCER = "Koperasi telur Kanigoro (contoh)"
ROWS = 20_000
HEADINGS = ["Nomor", "Komoditas", "Kualitas", "Jumlah", "Satuan", "Harga"]
#: seconds between two looks at the job
LOOKS_EVERY = 0.05


def measure(*, seconds: float) -> list[dict[str, object]]:
    """Return rows {file, rows, seconds, rows_s, progress}; what is measured is the work, not a time of `seconds`."""
    del seconds
    with running_stand() as stand, _worker(stand):
        return [_measured(stand, "xlsx", _workbook(0)), _measured(stand, "csv", _comma_separated(ROWS))]


def _lines(first: int) -> Iterator[list[object]]:
    yield [*HEADINGS]
    for place in range(first, first + ROWS):
        yield [f"B-{place}", "Telur ayam ras", "II", 20 + place % 50, "peti-15", 397_500]


def _workbook(first: int) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Stok")
    for line in _lines(first):
        sheet.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _comma_separated(first: int) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(_lines(first))
    return file.getvalue().encode()


@contextmanager
def _worker(stand: Stand) -> Iterator[None]:
    environment = {**os.environ, "DATABASE_URL": stand.database_url}
    process = subprocess.Popen([sys.executable, "-m", "app.worker"], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _measured(stand: Stand, name: str, content: bytes) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {stand.key_of(PRODUCER)}"}
    with httpx.Client(base_url=stand.base, headers=headers, timeout=60) as hub:
        began, seen = time.perf_counter(), set[int]()
        answer = hub.post("/v1/imports", files={"file": (f"stok.{name}", content)}, data={"kind": "listings"})
        job = answer.raise_for_status().json()
        while job["status"] in ("queued", "running"):
            time.sleep(LOOKS_EVERY)
            job = hub.get(f"/v1/jobs/{job['id']}").raise_for_status().json()
            seen.add(job["progress"]["done"])
        took = time.perf_counter() - began
        result = hub.get(job["result_url"]).raise_for_status().json()["result"]
    if result["accepted"] != ROWS:
        raise RuntimeError(result)
    return {"file": name, "rows": ROWS, "seconds": took, "rows_s": round(ROWS / took), "progress": len(seen)}
