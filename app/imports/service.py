"""Use cases of imports: take a file in, remember its rows, tell what came of it."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.imports import gate, queries
from app.imports.errors import ImportsWaiting, UnreadableFile
from app.imports.models import Import, ImportedRow
from app.imports.queries import Key
from app.jobs import service as jobs
from app.jobs.models import Job
from app.kit import rows
from app.kit.bulk import insert_many
from app.kit.principal import Principal, Role
from app.kit.problems import NotFound, invalid
from app.kit.text import Text
from app.parties.service import owner_of_post

#: kind -> whose postings it makes
ROLES = {"listings": Role.PRODUCER, "demands": Role.BUYER}
#: a row without a number of its own is known for so long: next week on the same day it is a new one
REMEMBERED = timedelta(days=6)
LONGEST_NAME = 200
#: files of one organisation that wait to be taken; they lie in the database until then
MOST_WAITING = 10
#: how long error workbooks are kept
KEPT = timedelta(days=30)


def inspect(content: bytes) -> None:
    """Refuse at once what no table can be: by its first bytes, and by the directory of a workbook.

    Raises UnreadableFile (422).
    """
    try:
        if gate.kind_of(content) == "xlsx":
            gate.check_directory(content)
    except gate.Refused as refused:
        raise UnreadableFile(str(refused)) from refused


def plain_name(name: str | None) -> str:
    """Return the name of an uploaded file without folders and control characters."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[:LONGEST_NAME] or "berkas"


async def start(
    session: AsyncSession,
    *,
    principal: Principal,
    kind: str,
    dry_run: bool,
    acting_for: UUID | None,
    filename: str,
    content: bytes,
    now: datetime,
) -> Job:
    """Keep an inspected file and ask for the job that takes it.

    Raises Invalid (422) naming /kind or /organization, NotFound (404) for somebody else's organisation, ImportsWaiting
    (409) where many files wait already.
    """
    if not principal.is_hub and principal.role is not ROLES[kind]:
        raise invalid(
            "/kind",
            "wrong_role",
            Text("Produsen mengunggah listings, pembeli demands.", "Producers upload listings, buyers demands."),
        )
    if acting_for is not None:
        await owner_of_post(session, principal=principal, organization_id=acting_for, role=ROLES[kind])
    await rows.hold(session, "imports", [principal.organization_id])
    if await queries.waiting(session, principal.organization_id) >= MOST_WAITING:
        raise ImportsWaiting
    job = await jobs.enqueue(session, kind="import", params={}, principal=principal, now=now)
    session.add(
        Import(
            id=job.id,
            organization_id=principal.organization_id,
            key_id=principal.key_id,
            kind=kind,
            dry_run=dry_run,
            acting_for=acting_for,
            filename=filename,
            content=content,
            created_at=now,
        )
    )
    await session.flush()
    return job


async def visible(session: AsyncSession, *, import_id: UUID, principal: Principal) -> Import:
    """Return an import of the caller's own, or for the hub any. Raises NotFound (404)."""
    found = await rows.find(session, Import, import_id)
    if not principal.is_hub and found.organization_id != principal.organization_id:
        raise NotFound
    return found


async def claim(
    session: AsyncSession, *, import_id: UUID, kind: str, keys: Mapping[Key, bool], now: datetime
) -> set[Key]:
    """Take rows for an import, `keys` with whether they have a number of their own; returns those that are new.

    Two imports of the same row wait for each other here, and one of them gets it.
    """
    values = [
        {
            "organization_id": organization_id,
            "kind": kind,
            "fingerprint": fingerprint,
            "import_id": import_id,
            "until": None if numbered else now + REMEMBERED,
        }
        # in one order, so that two imports never wait for each other crosswise
        for (organization_id, fingerprint), numbered in sorted(keys.items())
    ]
    statement = insert_many(ImportedRow, values)
    statement = statement.on_conflict_do_update(
        index_elements=["organization_id", "kind", "fingerprint"],
        set_={"import_id": statement.excluded.import_id, "until": statement.excluded.until},
        where=ImportedRow.until < now,
    )
    returned = statement.returning(ImportedRow.organization_id, ImportedRow.fingerprint)
    return {(row[0], row[1]) for row in await session.execute(returned)}


async def forget(session: AsyncSession, *, import_id: UUID, keys: Collection[Key]) -> None:
    """Give rows back that were not posted after all."""
    own = tuple_(ImportedRow.organization_id, ImportedRow.fingerprint)
    await session.execute(delete(ImportedRow).where(ImportedRow.import_id == import_id, own.in_(keys)))


async def finish(session: AsyncSession, *, import_id: UUID, result: dict[str, Any], workbook: bytes | None) -> None:
    """Keep what came of an import, and let go of its file."""
    done = await rows.lock(session, Import, import_id)
    done.result, done.workbook, done.content = result, workbook, None
    await session.flush()


async def forget_old_files(session: AsyncSession, now: datetime) -> None:
    """Let go of files that could not be taken, of all after a month, and of rows that are no longer remembered."""
    failed = Import.id.in_(select(Job.id).where(Job.kind == "import", Job.status == "failed"))
    kept = or_(Import.content.is_not(None), Import.workbook.is_not(None))
    old = update(Import).where(kept, or_(Import.created_at < now - KEPT, failed))
    await session.execute(old.values(content=None, workbook=None))
    await session.execute(delete(ImportedRow).where(ImportedRow.until < now))
