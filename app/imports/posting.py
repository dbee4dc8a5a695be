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
from app.kit.principal import Principal
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


@dataclass(frozen=True, slots=True)
class Poster:
    """Who posts the rows of which sheet, as what."""

    upload: Import
    kind: Kind
    principal: Principal
    reference: Reference
    sheet: Sheet
    now: datetime

    async def post(self, session: AsyncSession, rows: Sequence[Row]) -> Judged:
        """Post rows, or in a dry run tell what would come of them.

        1. Read each as the HTTP API would: what is wrong with one does not touch another.
        2. What was taken before is known; a dry run looks, a binding one takes it in the same step. What this import
           took itself before it was interrupted is posted, since both happen in one transaction.
        3. Store the new ones at once; a number that is in use for another posting is refused.
        """
        judged = Judged()
        ready = []
        owners: dict[UUID | None, Owner | Problem] = {}
        for row in rows:
            try:
                ready.append(Ready(row, await self._values(session, row, owners)))
            except Problem as problem:
                judged.refused.append(self.sheet.wrong_fields(row, problem))
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

    async def _values(self, session: AsyncSession, row: Row, owners: dict[UUID | None, Owner | Problem]) -> Values:
        draft = read_item(self.kind.shape, row.item)
        if row.wrong:
            raise Invalid
        named = draft.organization or self.upload.acting_for
        if named not in owners:
            try:
                owners[named] = await owner_of_post(
                    session, principal=self.principal, organization_id=named, role=self.kind.role
                )
            except Problem as problem:
                owners[named] = problem
        owner = owners[named]
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
