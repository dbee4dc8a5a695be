"""Many rows at once: whatever a column holds arrives as it was, in the order in which it was given."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import BigInteger, Identity, LargeBinary, Numeric, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.kit.bulk import FEW, write_many
from app.kit.columns import Instant


class Own(DeclarativeBase):
    """Tables of this test."""


class Kind(Own):
    """A column of every kind in use."""

    __tablename__ = "kinds"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[UUID | None]
    name: Mapped[str | None]
    number: Mapped[int | None]
    part: Mapped[Decimal | None] = mapped_column(Numeric(14, 6))
    day: Mapped[date | None]
    at: Mapped[Instant | None]
    sure: Mapped[bool | None]
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    names: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    version: Mapped[int] = mapped_column(default=1)


FULL = {
    "key": uuid4(),
    "name": "kelapa\n\"muda\", {'x'}\\",
    "number": 2**31 - 1,
    "part": Decimal("0.000001"),
    "day": date(2026, 2, 28),
    "at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "sure": False,
    "raw": b"\x00\xff",
    "facts": {"a": [1, None, 'b\\"'], "é": True},
    "names": ["a,b", 'c"d\\', "", "NULL", "{}"],
}
EMPTY = dict.fromkeys(FULL)


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 500])
async def test_every_kind_of_value_arrives_as_it_was_and_in_order(scenario: Any, count: int) -> None:
    rows = [{**(FULL if number % 2 else EMPTY), "number": number} for number in range(count)]
    async with scenario.database.transaction() as session:
        connection = await session.connection()
        await connection.run_sync(Own.metadata.create_all)
        await write_many(session, cast("Any", Kind), rows)
        written = (await session.execute(select(*Kind.__table__.columns).order_by(Kind.id))).mappings().all()
        assert [{name: row[name] for name in FULL} for row in written] == rows
        assert {row["version"] for row in written} == {1}
        await session.execute(text("DROP TABLE kinds"))
