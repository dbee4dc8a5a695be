"""Where transactions begin and end, and how the database's refusals are told."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.kit.db import CONSTRAINT_PROBLEMS, Base, Database, asyncpg_url
from app.kit.problems import Busy
from tests.conftest import api_on


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgres://u@h/d?sslmode=require", "postgresql+asyncpg://u@h/d?ssl=require"),
        ("postgresql+asyncpg://u@/d?host=/run/pg", "postgresql+asyncpg://u@/d?host=%2Frun%2Fpg"),
        (
            "postgresql://u@/d?host=a:5432&host=b:5432&target_session_attrs=read-write",
            "postgresql+asyncpg://u@/d?host=a%3A5432&host=b%3A5432&target_session_attrs=read-write",
        ),
    ],
)
def test_addresses_are_read_as_libpq_spells_them(given: str, expected: str) -> None:
    assert asyncpg_url(given).render_as_string() == expected


def test_every_constraint_that_means_something_exists() -> None:
    names = {
        str(constraint.name)
        for table in Base.metadata.tables.values()
        for constraint in (*table.constraints, *table.indexes)
    }
    assert set(CONSTRAINT_PROBLEMS) <= names


async def refuse(database: Database, sqlstate: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$"))


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03", "57014"])
async def test_a_passing_refusal_asks_to_come_again(committed: Any, sqlstate: str) -> None:
    with pytest.raises(Busy):
        await refuse(committed.database, sqlstate)


async def test_another_refusal_is_a_bug_and_stays_one(committed: Any) -> None:
    with pytest.raises(DBAPIError):
        await refuse(committed.database, "22012")
    with pytest.raises(IntegrityError):
        async with committed.database.transaction() as session:
            await session.execute(text("UPDATE listings SET quantity = 0"))


@pytest.mark.parametrize(("failures", "passes"), [(4, True), (5, False)])
async def test_work_of_jobs_and_commands_is_tried_five_times(committed: Any, failures: int, passes: bool) -> None:  # noqa: FBT001
    tries = 0

    async def work(session: Any) -> str:
        nonlocal tries
        tries += 1
        if tries <= failures:
            await session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$"))
        return "done"

    if passes:
        assert await committed.database.retried(work) == "done"
    else:
        with pytest.raises(DBAPIError):
            await committed.database.retried(work)
    assert tries == 5


async def test_a_block_that_raises_leaves_nothing(committed: Any) -> None:
    async def break_off() -> None:
        async with committed.database.transaction() as session:
            await session.execute(text("UPDATE organizations SET kind = 'x'"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await break_off()
    async with committed.database.reader() as session:
        assert await session.scalar(text("SELECT count(*) FROM organizations WHERE kind = 'x'")) == 0


async def test_a_snapshot_reads_one_instant_and_writes_nothing(committed: Any) -> None:
    count = text("SELECT count(*) FROM organizations WHERE kind = 'x'")
    async with committed.database.snapshot() as session:
        assert await session.scalar(count) == 0
        async with committed.database.transaction() as other:
            await other.execute(text("UPDATE organizations SET kind = 'x'"))
        assert await session.scalar(count) == 0
    with pytest.raises(DBAPIError):
        async with committed.database.snapshot() as session:
            await session.execute(text("UPDATE organizations SET kind = 'y'"))


async def test_a_request_that_waits_too_long_for_a_row_answers_503(committed: Any) -> None:
    url = committed.database.engine.url.render_as_string(hide_password=False)
    (listing,) = (await committed.walk("/v1/listings?status=open&limit=50", committed.keys.hub))[:1]
    async with committed.database.transaction() as session, api_on(url, lock_timeout_ms=50) as impatient:
        await session.execute(text("SELECT * FROM listings FOR UPDATE"))
        headers = impatient.as_(committed.keys.hub)
        answer = await impatient.post(f"/v1/listings/{listing['id']}/withdraw", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == "1"
