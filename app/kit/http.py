"""HTTP habits that every route shares: strict bodies, known parameters, safe repeats, cheap polling, problems."""

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from app.kit import problems
from app.kit.cookies import CrossSite
from app.kit.files import with_files
from app.kit.idempotency import KeyInUse, KeyReused, Replay, store_once
from app.kit.observe import carried
from app.kit.problems import FieldError, Invalid, Problem
from app.kit.strict_json import strict_json
from app.kit.text import Text, preferred_language
from app.kit.validation import SENTENCES, field_errors

F = TypeVar("F", bound=Callable[..., Any])

PROBLEM_JSON = "application/problem+json"
JSON_BODIES = ("application/json", "application/merge-patch+json")


class FieldErrorDocument(BaseModel):
    """One wrong field of a problem."""

    pointer: str
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """An RFC 9457 problem."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldErrorDocument]
    request_id: str | None = None


class HubRoute(APIRoute):
    """A route that reads strictly and answers so that a client can repeat and poll safely.

    1. Unknown query parameters are refused, the body is parsed once and strictly.
    2. The endpoint runs; its session is still open.
    3. The answer to a POST with an Idempotency-Key is stored in the same transaction.
    4. A GET whose answer the client already has becomes 304.

    A list may be asked for as a file, which holds all its pages.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Make a route as FastAPI does."""
        super().__init__(path, with_files(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler in the four steps."""
        handle = super().get_route_handler()
        fields = get_flat_params(self.dependant)
        known = {field.alias for field in fields if isinstance(field.field_info, params.Query)}
        takes = getattr(self.endpoint, "takes_files", False)

        async def handler(request: Request) -> Response:
            _refuse_unknown_parameters(request, known)
            _refuse_control_characters(request)
            if takes:
                _require_file(request)
                await read_body(request, request.app.state.hub.settings.max_file_bytes)
            elif request.method in ("POST", "PATCH"):
                body = await read_body(request, request.app.state.hub.settings.max_body_bytes)
                if body and self.body_field is not None:
                    _parse_body(request, body)
            response = await handle(request)
            await store_once(request, response, request.app.state.hub.clock.now())
            return _conditional(request, response)

        return handler


def takes_files(endpoint: F) -> F:
    """Mark an endpoint whose body is a form with files: multipart, under the limit of files."""
    endpoint.takes_files = True  # type: ignore[attr-defined]  # a mark on a function
    return endpoint


def _require_file(request: Request) -> None:
    """Refuse unread what is no form, and what nobody signs for."""
    if "authorization" not in request.headers and "cookie" not in request.headers:
        raise problems.Unauthenticated
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise problems.UnsupportedMediaType(
            Text("Kirim berkas sebagai multipart/form-data.", "Send the file as multipart/form-data.")
        )


def _refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        names = ", ".join(sorted(known)) or "-"
        detail = Text(f"Parameter tidak dikenal. Yang ada: {names}.", f"Unknown parameter. Known ones: {names}.")
        raise problems.BadRequest(
            detail, errors=[FieldError(name[:100], "unknown_parameter", detail) for name in unknown[:20]]
        )


def _refuse_control_characters(request: Request) -> None:
    for value in (*request.path_params.values(), *request.query_params.values()):
        if not str(value).isprintable():
            raise problems.BadRequest(
                Text("Alamat memuat karakter terlarang.", "The address holds a forbidden character.")
            )


def _parse_body(request: Request, body: bytes) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_BODIES:
        raise problems.UnsupportedMediaType
    value = strict_json(body)
    if not isinstance(value, dict | None):
        # FastAPI reads shapes from attributes too, so that a bare 1.5, a Decimal, would be a body without fields
        raise problems.invalid("", "model_type", SENTENCES["model_type"])
    # Starlette's Request.json() answers from here, so FastAPI sees what the strict parser saw.
    request._json = value  # noqa: SLF001 - the one place where the body is parsed


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body, refused as soon as it is known to be over the limit. Raises TooLarge (413)."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limit:
        raise problems.TooLarge
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise problems.TooLarge
        chunks.append(chunk)
    # Starlette's Request.body() answers from here
    request._body = b"".join(chunks)  # noqa: SLF001 - the one place where the body is read
    return request._body  # noqa: SLF001 - the same


def _conditional(request: Request, response: Response) -> Response:
    if request.method != "GET" or response.status_code != 200 or not hasattr(response, "body"):  # noqa: PLR2004
        return response
    if "etag" not in response.headers:
        response.headers["etag"] = f'W/"{hashlib.sha256(response.body).hexdigest()[:24]}"'
    if "cache-control" not in response.headers:
        keyed = hasattr(request.state, "principal")
        response.headers["cache-control"] = "private, no-cache" if keyed else "public, max-age=15"
    response.headers["vary"] = "Authorization, Accept-Language"
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if response.headers["etag"].removeprefix("W/") in known or "*" in known:
        kept = ("etag", "cache-control", "vary")
        return Response(status_code=304, headers={name: response.headers[name] for name in kept})
    return response


def documented(*raised: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route that may answer with these problems, besides the usual ones."""
    responses: dict[int | str, dict[str, Any]] = {}
    answered: tuple[type[Problem], ...] = (*raised, problems.BadRequest, problems.Invalid, problems.Busy)
    for problem in answered:
        entry = responses.setdefault(
            problem.status,
            {"description": "", "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}},
        )
        line = f"`{problem.code}`: {problem.title.en}"
        if line not in entry["description"]:
            entry["description"] = f"{entry['description']}\n\n{line}".strip()
    return responses


#: what every keyed route may answer
KEYED = (problems.Unauthenticated, problems.Forbidden, CrossSite, problems.TooManyRequests)
#: what every keyed POST may answer
CREATES = (*KEYED, KeyInUse, KeyReused, problems.TooLarge, problems.UnsupportedMediaType)
#: what every PATCH may answer
CHANGES = (
    *KEYED,
    problems.NotFound,
    problems.Conflict,
    problems.StaleVersion,
    problems.PreconditionRequired,
    problems.TooLarge,
    problems.UnsupportedMediaType,
)


def router(tag: str) -> APIRouter:
    """Return a router of the HTTP contract: base path /v1, the shared route class, one tag."""
    return APIRouter(prefix="/v1", tags=[tag], route_class=HubRoute)


IfMatch = Annotated[str | None, Header(description="the ETag that you read")]


def etag(version: int) -> str:
    """Return the entity tag of a row version."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int:
    """Return the row version that an If-Match header names.

    Raises PreconditionRequired (428) when it is absent, StaleVersion (412) when it is no version of ours.
    """
    if if_match is None:
        raise problems.PreconditionRequired
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):  # noqa: PLR2004 - fits 64 bits
        raise problems.StaleVersion
    return int(digits)


def render(request: Request, problem: Problem) -> Response:
    """Return the HTTP answer of a problem in the language that the client prefers."""
    language = preferred_language(request.headers.get("accept-language"))
    request_id = getattr(request.state, "request_id", None)
    return JSONResponse(
        problem.document(language=language, request_id=request_id),
        problem.status,
        headers={**problem.headers, "Content-Language": language},
        media_type=PROBLEM_JSON,
    )


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer a planned refusal."""
    assert isinstance(error, Problem)  # noqa: S101 - how handlers are registered
    return render(request, error)


async def answer_replay(_request: Request, error: Exception) -> Response:
    """Answer a repeated POST with its first answer."""
    assert isinstance(error, Replay)  # noqa: S101 - how handlers are registered
    return error.response


async def answer_validation(request: Request, error: Exception) -> Response:
    """Answer a request whose fields do not fit the contract: every wrong field is named."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - how handlers are registered
    return render(request, Invalid(errors=field_errors(error.errors())))


#: what the framework itself refuses
FRAMEWORK_PROBLEMS: Mapping[int, type[Problem]] = {
    404: problems.NotFound,
    405: problems.MethodNotAllowed,
    413: problems.TooLarge,
    415: problems.UnsupportedMediaType,
}


async def answer_framework(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such address, method, or a body over the limit."""
    assert isinstance(error, HTTPException)  # noqa: S101 - how handlers are registered
    problem = FRAMEWORK_PROBLEMS.get(error.status_code, problems.BadRequest)()
    problem.headers.update(error.headers or {})
    return render(request, problem)


async def answer_bug(request: Request, _error: Exception) -> Response:
    """Answer 500 with the request id under which the log tells more.

    Starlette sends this answer from outside all middleware, so it brings the headers that every answer carries.
    """
    response = render(request, Problem())
    response.raw_headers.extend(carried(request.state.request_id))
    return response
