"""Replaying a stored run: the same input gives the same bytes with the same engine."""

import zlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.engine import canonical
from app.matching import queries
from app.matching.solver import SOLVER


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found."""

    run_id: UUID
    #: engine that decided then, and the one that decided now
    engine: str
    engine_now: str
    #: hash of the stored output, and of the output made now
    output_sha256: str
    output_sha256_now: str
    #: the stored input and output still have their hashes
    input_is_intact: bool
    output_is_intact: bool

    @property
    def same(self) -> bool:
        """Whether the run gave the same bytes again."""
        return self.input_is_intact and self.output_is_intact and self.output_sha256 == self.output_sha256_now


async def replay(session: AsyncSession, *, run_id: UUID) -> Replayed:
    """Solve a stored run again. Raises NotFound (404)."""
    run = await queries.run(session, run_id, dry_too=True)
    document = await queries.document(session, run_id)
    stored = zlib.decompress(document.input)
    _document, clearing = await SOLVER.clear(canonical.decode_market(stored))
    output = canonical.encode_clearing(clearing)
    return Replayed(
        run_id=run_id,
        engine=run.engine,
        engine_now=canonical.ENGINE,
        output_sha256=run.output_sha256,
        output_sha256_now=canonical.sha256(output),
        input_is_intact=canonical.sha256(stored) == run.input_sha256,
        output_is_intact=canonical.sha256(zlib.decompress(document.output)) == run.output_sha256,
    )
