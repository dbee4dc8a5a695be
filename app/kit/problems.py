"""Errors as people and programs read them: RFC 9457 problems with a stable code and a sentence in two languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.kit.text import Text


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, and what would be right."""

    #: JSON pointer into the body (RFC 6901), or the name of a query parameter or header
    pointer: str
    #: stable, for programs
    code: str
    detail: Text


class Problem(Exception):
    """A planned refusal: each subclass is one code with its HTTP status and title."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[Text] = Text("Terjadi kesalahan di server.", "Something went wrong on the server.")
    #: JSON pointer to the field that it is always about, if there is one
    pointer: ClassVar[str | None] = None

    def __init__(
        self,
        detail: Text | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say what happened in `detail`, which fields in `errors`, and what else the answer carries in `headers`."""
        super().__init__((detail or self.title).en)
        self.detail = detail
        about = () if self.pointer is None else (FieldError(self.pointer, self.code, detail or self.title),)
        self.errors = tuple(errors) or about
        self.headers = dict(headers or {})

    def document(self, *, language: str, request_id: str | None) -> dict[str, Any]:
        """Return the problem document (RFC 9457) in "id" or "en"."""
        document: dict[str, Any] = {
            "type": f"urn:blitar-hub:problem:{self.code}",
            "title": self.title.read(language),
            "status": self.status,
            "code": self.code,
            "detail": (self.detail or self.title).read(language),
            "errors": [
                {"pointer": error.pointer, "code": error.code, "detail": error.detail.read(language)}
                for error in self.errors
            ],
        }
        if request_id is not None:
            document["request_id"] = request_id
        return document


class Invalid(Problem):
    """422: the request was read and makes no sense; every wrong field is named."""

    status = 422
    code = "invalid"
    title = Text("Isian belum benar.", "Some fields are not right.")


def invalid(pointer: str, code: str, detail: Text) -> Invalid:
    """Return a 422 that names one field."""
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])


class BadRequest(Problem):
    """400: the request itself is malformed: an unknown parameter, a forged cursor."""

    status = 400
    code = "bad_request"
    title = Text("Permintaan tidak dapat dibaca.", "The request cannot be read.")


class Unauthenticated(Problem):
    """401: no key, or one that does not hold (any more)."""

    status = 401
    code = "unauthenticated"
    title = Text(
        "Kunci API tidak ada atau tidak berlaku. Kirim header Authorization: Bearer <kunci>.",
        "The API key is missing or not valid. Send the header Authorization: Bearer <key>.",
    )

    def __init__(self) -> None:
        """Ask for a bearer key (RFC 6750)."""
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """403: the key holds, but its role may not do this."""

    status = 403
    code = "forbidden"
    title = Text("Peran Anda tidak boleh melakukan ini.", "Your role may not do this.")


class NotFound(Problem):
    """404: there is no such row, or it belongs to another party."""

    status = 404
    code = "not_found"
    title = Text("Data tidak ditemukan.", "There is no such thing here.")


class MethodNotAllowed(Problem):
    """405: the address exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = Text("Metode ini tidak tersedia di alamat ini.", "This method does not exist at this address.")


class Conflict(Problem):
    """409: the request is fine, the present state does not allow it."""

    status = 409
    code = "conflict"
    title = Text("Keadaan data tidak mengizinkan ini.", "The present state does not allow this.")


class StaleVersion(Problem):
    """412: the row changed since it was read."""

    status = 412
    code = "stale_version"
    title = Text(
        "Data sudah berubah sejak Anda membacanya. Baca lagi, lalu ulangi dengan ETag yang baru.",
        "The row changed since you read it. Read it again and retry with the new ETag.",
    )


class TooLarge(Problem):
    """413: the body is over the limit."""

    status = 413
    code = "too_large"
    title = Text("Isi permintaan terlalu besar.", "The request body is too large.")


class UnsupportedMediaType(Problem):
    """415: the body is not in a format that this address reads."""

    status = 415
    code = "unsupported_media_type"
    title = Text(
        "Kirim isi sebagai application/json (PATCH: application/merge-patch+json), UTF-8.",
        "Send the body as application/json (PATCH: application/merge-patch+json), UTF-8.",
    )


class PreconditionRequired(Problem):
    """428: a change without saying which version was read."""

    status = 428
    code = "precondition_required"
    title = Text(
        "Kirim header If-Match dengan ETag dari data yang Anda baca.",
        "Send the header If-Match with the ETag of the row you read.",
    )


class TooManyRequests(Problem):
    """429: the key has used up its minute."""

    status = 429
    code = "too_many_requests"
    title = Text("Terlalu banyak permintaan. Tunggu sebentar.", "Too many requests. Wait a moment.")


class Busy(Problem):
    """503: the database could not do it now; the same request may be sent again."""

    status = 503
    code = "busy"
    title = Text(
        "Server sedang sibuk. Kirim permintaan yang sama lagi.", "The server is busy. Send the same request again."
    )

    def __init__(self) -> None:
        """Ask the client to come back in a second."""
        super().__init__(headers={"Retry-After": "1"})
