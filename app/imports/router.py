"""HTTP of imports."""

import asyncio
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import File, Form, Request, Response, UploadFile

from app.catalog.router import ReferenceData
from app.imports import queries, service
from app.imports.errors import ImportsWaiting, UnreadableFile
from app.imports.models import Import
from app.imports.schemas import CellAnswer, ImportAnswer, ImportResult, Kind
from app.jobs.router import accepted
from app.jobs.schemas import JobAnswer
from app.kit.auth import Trader
from app.kit.http import CREATES, KEYED, documented, router, takes_files
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session
from app.kit.spreadsheet import CSV, XLSX
from app.kit.text import preferred_language
from app.parties import queries as parties

api = router("imports")

AS_XLSX = {XLSX: {"schema": {"type": "string", "format": "binary"}}}
AS_UPLOADED = {**AS_XLSX, "text/csv": {"schema": {"type": "string"}}}


@api.post(
    "/imports",
    status_code=202,
    response_model=JobAnswer,
    responses=documented(*CREATES, NotFound, UnreadableFile, ImportsWaiting),
)
@takes_files
async def start_import(
    session: Session,
    principal: Trader,
    now: Now,
    file: Annotated[UploadFile, File(description=".xlsx or .csv, at most 20 MiB and 50,000 rows")],
    kind: Annotated[Kind, Form()],
    organization: Annotated[UUID | None, Form(description="whom the hub acts for where a row names nobody")] = None,
    *,
    dry_run: Annotated[bool, Form(description="tell what would come of it, post nothing")] = False,
) -> Response:
    """Upload stock or needs as a spreadsheet: a job takes it, row by row."""
    content = await file.read()
    await asyncio.to_thread(service.inspect, content)
    job = await service.start(
        session,
        principal=principal,
        kind=kind,
        dry_run=dry_run,
        acting_for=organization,
        filename=service.plain_name(file.filename),
        content=content,
        now=now,
    )
    return accepted(job)


@api.get(
    "/imports/templates/{kind}.xlsx",
    responses={**documented(*KEYED), 200: {"content": AS_XLSX}},
    response_class=Response,
)
async def get_import_template(session: Session, principal: Trader, kind: Kind, reference: ReferenceData) -> Response:
    """Download the workbook to fill in: dropdowns of today's commodities, grades, units and regions, one example."""
    from app.imports import workbook  # noqa: PLC0415 - openpyxl takes a tenth of a start, and few ask for a template

    names = None
    if principal.is_hub:
        found = await session.scalars(parties.organizations(hub=principal.region, roles=[service.ROLES[kind]]))
        names = [one.name for one in found]
    content = await asyncio.to_thread(workbook.template, kind, reference, names)
    return _download(content, f"{workbook.SHEETS[kind].lower()}.xlsx")


@api.get("/imports/{import_id}", responses=documented(*KEYED, NotFound))
async def get_import(request: Request, session: Session, principal: Trader, import_id: UUID) -> ImportAnswer:
    """Tell what came of an uploaded file: rows posted, known and refused, and what is wrong with each cell."""
    found = await service.visible(session, import_id=import_id, principal=principal)
    return _answer(found, preferred_language(request.headers.get("accept-language")))


@api.get(
    "/imports/{import_id}/workbook",
    responses={**documented(*KEYED, NotFound), 200: {"content": AS_UPLOADED}},
    response_class=Response,
)
async def get_import_workbook(session: Session, principal: Trader, import_id: UUID) -> Response:
    """Download the uploaded file with a column of errors: mend it and upload it again, what was posted is known."""
    found = await service.visible(session, import_id=import_id, principal=principal)
    return _download(await queries.workbook(session, import_id), found.filename)


def _download(content: bytes, name: str) -> Response:
    media_type = XLSX if content.startswith(b"PK") else CSV
    stem = name.rpartition(".")[0] or name
    filename = quote(f"{stem}.{'xlsx' if media_type == XLSX else 'csv'}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{filename}"}
    return Response(content, media_type=media_type, headers=headers)


def _answer(found: Import, language: str) -> ImportAnswer:
    result = None
    if found.result is not None:
        errors = [
            CellAnswer.model_validate(
                {
                    **error,
                    "detail": error["detail"][language],
                    "suggestion": error["suggestion"] and error["suggestion"][language],
                }
            )
            for error in found.result["errors"]
        ]
        result = ImportResult.model_validate({**found.result, "errors": errors})
    refused = result is not None and result.refused > 0
    return ImportAnswer(
        id=found.id,
        kind=found.kind,
        dry_run=found.dry_run,
        filename=found.filename,
        result=result,
        workbook_url=f"/v1/imports/{found.id}/workbook" if refused else None,
        created_at=found.created_at,
    )
