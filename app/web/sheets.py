"""Lembar kerja: a spreadsheet sent by a browser, without script: how far it is, and what came of it."""

import asyncio
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse

from app.imports import service as imports
from app.jobs import service as jobs
from app.kit import cookies
from app.kit.http import read_body
from app.kit.principal import Role
from app.kit.problems import Invalid, NotFound, Problem, invalid
from app.kit.text import Text
from app.web.frame import Viewer, render
from app.web.rules import SHEETS

#: seconds after which a browser asks again how far a file is
ASKS_AGAIN = 2
#: fields that the form may send beside the file
MOST_FIELDS = 10
#: refused cells that the page shows; the file with its errors has all
MOST_SHOWN = 100


async def show(request: Request, viewer: Viewer) -> Response:
    """Return what came of the file that the address names, and the form for the next one."""
    content: dict[str, Any] = {"job": None, "result": None}
    async with request.app.state.hub.database.reader() as session:
        try:
            about: dict[str, Any] = {"principal": viewer.principal}
            wanted = UUID(request.query_params.get("id", ""))
            found = await imports.visible(session, import_id=wanted, **about)
            content |= {"result": found.result, "dry_run": found.dry_run}
            content["job"] = await jobs.visible(session, job_id=wanted, **about)
        except (ValueError, NotFound):
            pass
    response = _page(request, viewer, **content)
    if content["job"] is not None and content["job"].status in ("queued", "running"):
        response.headers["refresh"] = str(ASKS_AGAIN)
    return response


def _page(request: Request, viewer: Viewer, **content: Any) -> Response:
    role = viewer.principal.role
    kinds = [kind for kind, whose in imports.ROLES.items() if role in (whose, Role.HUB)]
    about = {"refused": None, "job": None, "result": None, "dry_run": False, "kinds": kinds, "most_shown": MOST_SHOWN}
    return render(request, "sheets.html", SHEETS, viewer, **{**about, **content})


async def send(request: Request, viewer: Viewer | None) -> Response:
    """Take the file of a form and lead to how far it is; what is refused is said above the form."""
    if viewer is None:
        return RedirectResponse("/masuk", 303)
    hub, principal = request.app.state.hub, viewer.principal
    await read_body(request, hub.settings.max_file_bytes)
    async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
        cookies.require_proof(viewer.token, str(form.get("csrf", "")))
        await hub.limiter.count(str(principal.session_id))
        try:
            kind, file = str(form.get("kind", "")), form.get("file")
            if kind not in imports.ROLES:
                raise Invalid
            if not isinstance(file, UploadFile) or not file.filename:
                raise invalid("/file", "missing", Text("Pilih berkasnya dulu.", "Choose a file first."))
            content = await file.read()
            await asyncio.to_thread(imports.inspect, content)
            async with hub.database.transaction() as session:
                job = await imports.start(
                    session,
                    principal=principal,
                    kind=kind,
                    dry_run="dry_run" in form,
                    acting_for=None,
                    filename=imports.plain_name(file.filename),
                    content=content,
                    now=hub.clock.now(),
                )
        except Problem as problem:
            return _page(request, viewer, refused=problem, status=problem.status)
    return RedirectResponse(f"{SHEETS.path}?id={job.id}", 303)
