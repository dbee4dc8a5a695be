"""What the worker does with an uploaded file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import queries as catalog
from app.imports import queries, sandbox, service, workbook
from app.imports.columns import Header, find_header
from app.imports.errors import UnreadableFile
from app.imports.kinds import KINDS, Kind
from app.imports.models import Import
from app.imports.posting import Chunk, Judged, Poster, owners_of
from app.imports.rows import Row, Sheet, Wrong
from app.imports.sandbox import Table
from app.imports.words import Words, normal
from app.jobs import service as jobs
from app.jobs.models import Job
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.principal import Principal, Role
from app.kit.problems import Problem
from app.parties import queries as parties
from app.parties.errors import Suspended
from app.parties.models import Organization

Given = TypeVar("Given")
Made = TypeVar("Made")

#: rows posted in one transaction
CHUNK = 1000
#: refused cells that the result names; the error workbook names all
MOST_TOLD = 1000


async def run(database: Database, clock: Clock, job: Job) -> str:
    """Take an uploaded file and return the address of the result.

    1. Parse it in a process of its own, find sheet and header, read each row.
    2. Judge each row, post the good ones, 1,000 in a transaction, and tell how far the job is.
    3. Keep the result, and where a row was refused the error workbook; let go of the file.

    Done again after an interruption it comes to the same: rows that it took are its own. Raises UnreadableFile,
    MissingColumns, RepeatedColumn (422) for a file that is no table of ours, Suspended (403).
    """
    async with database.reader() as session:
        upload = await queries.with_file(session, job.id)
        kind = KINDS[upload.kind]
        principal = await _principal(session, upload)
        organizations = await _organizations(session, principal, kind)
        reference = await catalog.reference(session)
    if upload.content is not None:
        table, header = choose_sheet(await sandbox.parse(upload.content), upload.kind)
        sheet = Sheet(table.rows, header, Words(reference, organizations))
        rows = await asyncio.to_thread(sheet.read)
        if not rows:
            raise UnreadableFile("no_rows")
        async with database.reader() as session:
            about: dict[str, Any] = {"principal": principal, "role": kind.role, "acting_for": upload.acting_for}
            owners = await owners_of(session, rows=rows, **about)
        judged = await _post(database, Poster(upload, kind, principal, reference, sheet, owners, clock.now()), rows)
        await _keep(database, upload, table, header, judged, len(rows))
    return f"/v1/imports/{job.id}"


async def _principal(session: AsyncSession, upload: Import) -> Principal:
    owner = await session.get_one(Organization, upload.organization_id)
    if owner.status != "active":
        raise Suspended
    return Principal(owner.id, Role(owner.role), owner.region, owner.hub, upload.key_id)


async def _organizations(session: AsyncSession, principal: Principal, kind: Kind) -> dict[str, str] | None:
    """Return whom the hub may act for, by name; None where the caller is no hub."""
    if not principal.is_hub:
        return None
    found = await session.scalars(parties.organizations(hub=principal.region, roles=[kind.role]))
    return {normal(one.name): str(one.id) for one in found}


def choose_sheet(tables: Sequence[Table], kind: str) -> tuple[Table, Header]:
    """Return the first sheet with a header of ours. Raises what is wrong with the first where none has one."""
    first: Problem | None = None
    for table in tables:
        try:
            return table, find_header(table.rows, kind)
        except UnreadableFile as problem:
            first = first or problem
    raise first or UnreadableFile("no_header")


async def _post(database: Database, poster: Poster, rows: Sequence[Row]) -> Judged:
    """Post the rows chunk by chunk, each in a transaction of its own that also tells how far the job is."""
    judged, reached = Judged(), 0
    chunks = [rows[first : first + CHUNK] for first in range(0, len(rows), CHUNK)]
    async for chunk in _ahead(poster.judge, chunks):
        reached += chunk.rows

        async def take(session: AsyncSession, chunk: Chunk = chunk, reached: int = reached) -> Judged:
            done = await poster.post(session, chunk)
            await jobs.advance(session, job_id=poster.upload.id, done=reached, total=len(rows), now=poster.now)
            return done

        done = await database.retried(take)
        judged.accepted += done.accepted
        judged.known += done.known
        judged.refused += done.refused
    return judged


async def _ahead(make: Callable[[Given], Made], given: Iterable[Given]) -> AsyncIterator[Made]:
    """Yield what is made of each; the next one is made in a thread while the database is busy with this one."""
    coming: list[asyncio.Task[Made]] = []
    for one in given:
        coming.append(asyncio.create_task(asyncio.to_thread(make, one)))
        if len(coming) > 1:
            yield await coming.pop(0)
    for last in coming:
        yield await last


async def _keep(database: Database, upload: Import, table: Table, header: Header, judged: Judged, rows: int) -> None:
    wrong = [one for row in sorted(judged.refused, key=lambda row: row[0].row) for one in row]
    result: dict[str, Any] = {
        "sheet": table.name,
        "rows": rows,
        "accepted": judged.accepted,
        "known": judged.known,
        "refused": len(judged.refused),
        "ignored_columns": list(header.ignored),
        "errors": [_told(one) for one in wrong[:MOST_TOLD]],
        "more_errors": max(0, len(wrong) - MOST_TOLD),
    }
    content = await asyncio.to_thread(workbook.with_errors, table, header, wrong) if wrong else None
    await database.retried(
        lambda session: service.finish(session, import_id=upload.id, result=result, workbook=content)
    )


def _told(wrong: Wrong) -> dict[str, Any]:
    return asdict(wrong)
