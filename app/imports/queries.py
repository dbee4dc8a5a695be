"""Reading imports."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from app.imports.models import Import, ImportedRow
from app.jobs.models import Job
from app.kit.problems import NotFound

#: an organisation and the fingerprint of a row that is posted for it
Key = tuple[UUID, bytes]


async def with_file(session: AsyncSession, import_id: UUID) -> Import:
    """Return an import with its file."""
    return await session.get_one(Import, import_id, options=[undefer(Import.content)])


async def waiting(session: AsyncSession, organization_id: UUID) -> int:
    """Return how many files of an organisation are not taken yet."""
    unfinished = select(func.count()).select_from(Import).join(Job, Job.id == Import.id)
    own = unfinished.where(Import.organization_id == organization_id, Job.status.in_(("queued", "running")))
    return await session.scalar(own) or 0


async def workbook(session: AsyncSession, import_id: UUID) -> bytes:
    """Return the error workbook of an import. Raises NotFound (404) where no row was refused."""
    content = await session.scalar(select(Import.workbook).where(Import.id == import_id))
    if content is None:
        raise NotFound
    return content


def _of(kind: str, keys: Collection[Key]) -> Select[UUID, bytes]:
    own = tuple_(ImportedRow.organization_id, ImportedRow.fingerprint)
    return select(ImportedRow.organization_id, ImportedRow.fingerprint).where(ImportedRow.kind == kind, own.in_(keys))


async def known(session: AsyncSession, *, kind: str, keys: Collection[Key], now: datetime) -> set[Key]:
    """Return which rows were taken before and are remembered."""
    remembered = or_(ImportedRow.until.is_(None), ImportedRow.until >= now)
    return {(row[0], row[1]) for row in await session.execute(_of(kind, keys).where(remembered))}


async def taken_by(session: AsyncSession, *, import_id: UUID, kind: str, keys: Collection[Key]) -> set[Key]:
    """Return which of these rows an import has taken."""
    return {
        (row[0], row[1]) for row in await session.execute(_of(kind, keys).where(ImportedRow.import_id == import_id))
    }
