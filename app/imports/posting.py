"""From read rows to postings: each row judged alone, the good ones stored together, the same row once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import Reference
from app.imports import queries, service
from app.imports.kinds import Kind, Values
from app.imports.models import Import
from app.imports.queries import Key
from app.imports.rows import Row, Sheet, Wrong
from app.kit.batch import read_item
from app.kit.principal import Principal, Role
from app.kit.problems import Invalid, Problem
from app.kit.text import Text
from app.parties.service import Owner, owner_of_post

TAKEN = Text("Nomor ini sudah dipakai untuk isian lain.", "This number is in use for another posting.")
TAKEN_HELP = Text(
    "Ubah isian itu di halaman Anda, atau pakai nomor baru.", "Change that posting on your page, or take a new number."
)


@dataclass(slots=True)
class Judged:
    """What came of rows."""

    accepted: int = 0
    #: taken by an earlier upload
    known: int = 0
    #: for each refused row what is wrong with it
    refused: list[list[Wrong]] = field(default_factory=list)


@dataclass(slots=True)
class Ready:
    """A row that may be posted."""

    row: Row
    values: Values

    @property
    def key(self) -> Key:
        """What tells it when it comes again."""
        return self.values["organization_id"], self.row.fingerprint


@dataclass(slots=True)
class Chunk:
    """Rows that are read: those that may be posted, and what is wrong with the others."""

    rows: int
    ready: list[Ready] = field(default_factory=list)
    refused: list[list[Wrong]] = field(default_factory=list)


async def owners_of(
    session: AsyncSession, *, principal: Principal, role: Role, rows: Sequence[Row], acting_for: UUID | None
) -> dict[UUID | None, Owner | Problem]:
    """Return for each organisation that rows name, and for those that name nobody, who will own the postings."""
    named = {UUID(row.item["organization"]) for row in rows if "organization" in row.item}
    owners: dict[UUID | None, Owner | Problem] = {}
    for organization_id in (*named, acting_for):
        try:
            owners[organization_id] = await owner_of_post(
                session, principal=principal, organization_id=organization_id, role=role
            )
        except Problem as problem:
            owners[organization_id] = problem
    return owners


@dataclass(frozen=True, slots=True)
class Poster:
    """Who posts the rows of which sheet, as what."""

    upload: Import
    kind: Kind
    principal: Principal
    reference: Reference
    sheet: Sheet
    #: whom rows name -> for whom they are posted, or why not; None stands for who uploads
    owners: Mapping[UUID | None, Owner | Problem]
    now: datetime

    def judge(self, rows: Sequence[Row]) -> Chunk:
        """Read rows as the HTTP API would: what is wrong with one does not touch another."""
        chunk = Chunk(len(rows))
        for row in rows:
            try:
                chunk.ready.append(Ready(row, self._values(row)))
            except Problem as problem:
                chunk.refused.append(self.sheet.wrong_fields(row, problem))
        return chunk

    async def post(self, session: AsyncSession, chunk: Chunk) -> Judged:
        """Post the good rows of a chunk, or in a dry run tell what would come of them.

        1. What was taken before is known; a dry run looks, a binding one takes it in the same step. What this import
           took itself before it was interrupted is posted, since both happen in one transaction.
        2. Store the new ones at once; a number that is in use for another posting is refused.
        """
        ready = chunk.ready
        judged = Judged(refused=list(chunk.refused))
        new = await self._new(session, ready)
        posted = await self._posted_before(session, ready, new)
        judged.known = len(ready) - len(new) - posted
        stored = await self._store(session, new)
        judged.accepted = len(stored) + posted
        taken = [one for one in new if one.values["id"] not in stored]
        for one in taken:
            wrong = self.sheet.wrong(one.row.place, "external_ref", "external_ref_taken", TAKEN, TAKEN_HELP)
            judged.refused.append([wrong])
        return judged

    def _values(self, row: Row) -> Values:
        draft = read_item(self.kind.shape, row.item)
        if row.wrong:
            raise Invalid
        owner = self.owners[draft.organization or self.upload.acting_for]
        if isinstance(owner, Problem):
            raise owner
        return self.kind.prepare(draft, owner, self.reference, self.now)

    async def _new(self, session: AsyncSession, ready: Sequence[Ready]) -> list[Ready]:
        keys: Mapping[Key, bool] = {one.key: one.values["external_ref"] is not None for one in ready}
        about: dict[str, Any] = {"kind": self.upload.kind, "keys": keys, "now": self.now}
        if not keys:
            return []
        if self.upload.dry_run:
            known = await queries.known(session, **about)
            return [one for one in ready if one.key not in known]
        claimed = await service.claim(session, import_id=self.upload.id, **about)
        return [one for one in ready if one.key in claimed]

    async def _posted_before(self, session: AsyncSession, ready: Sequence[Ready], new: Sequence[Ready]) -> int:
        others = {one.key for one in ready} - {one.key for one in new}
        if not others:
            return 0
        return len(await queries.taken_by(session, import_id=self.upload.id, kind=self.upload.kind, keys=others))

    async def _store(self, session: AsyncSession, new: Sequence[Ready]) -> set[UUID]:
        """Return the ids of the rows that are stored, or in a dry run would be."""
        if not new:
            return set()
        if self.upload.dry_run:
            used = await self._used_numbers(session, new)
            free = [one for one in new if (one.values["organization_id"], one.values["external_ref"]) not in used]
            return {one.values["id"] for one in free}
        stored = await self.kind.publish(session, values=[one.values for one in new], principal=self.principal)
        taken = [one.key for one in new if one.values["id"] not in stored]
        if taken:
            await service.forget(session, import_id=self.upload.id, keys=taken)
        return stored

    async def _used_numbers(self, session: AsyncSession, new: Sequence[Ready]) -> set[tuple[UUID, str]]:
        wanted: dict[UUID, list[str]] = {}
        for one in new:
            if one.values["external_ref"] is not None:
                wanted.setdefault(one.values["organization_id"], []).append(one.values["external_ref"])
        return {(owner, ref) for owner, refs in wanted.items() for ref in await self.kind.used(session, owner, refs)}
