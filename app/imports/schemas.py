"""Shapes of imports."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer

Kind = Literal["listings", "demands"]


class CellAnswer(Answer):
    """What is wrong with a cell, and what would be right."""

    row: int = Field(description="as the spreadsheet counts, from 1", examples=[5])
    cell: str | None = Field(description="null where no column is to blame", examples=["E5"])
    field: str | None = Field(examples=["quantity"])
    value: str | None = Field(description="what stands there", examples=["dua ton"])
    code: str = Field(examples=["number"])
    detail: str
    suggestion: str | None


class ImportResult(Answer):
    """What came of the rows: rows = accepted + known + refused."""

    sheet: str | None
    rows: int = Field(description="below the header, without empty ones and the template's example")
    accepted: int = Field(description="posted now; in a dry run, would be")
    known: int = Field(description="taken by an earlier upload, and left alone")
    refused: int
    ignored_columns: list[str] = Field(description="headings that mean nothing to the hub")
    errors: list[CellAnswer] = Field(description="the first 1,000, from top to bottom")
    more_errors: int = Field(description="how many more the error workbook tells")


class ImportAnswer(Answer):
    """One uploaded file."""

    id: UUID
    kind: Kind
    dry_run: bool
    filename: str
    result: ImportResult | None = Field(description="null until the job is done")
    workbook_url: str | None = Field(description="the same file with a column of errors; null where none was refused")
    created_at: datetime
