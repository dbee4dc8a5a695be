"""What a client catches: the hub's planned refusals, and silence."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, and what would be right."""

    #: JSON pointer into what was sent, or the name of a parameter
    pointer: str
    #: stable, for programs
    code: str
    detail: str


class HubProblem(Exception):
    """The hub refused (RFC 9457): `code` is stable, `detail` a sentence in the client's language."""

    def __init__(self, status: int, document: Mapping[str, Any], request_id: str | None = None) -> None:
        """Tell a problem document."""
        self.status = status
        self.code: str = document.get("code", f"http_{status}")
        self.detail: str = document.get("detail", "")
        self.errors = [
            FieldProblem(error["pointer"], error["code"], error["detail"]) for error in document.get("errors", ())
        ]
        #: under which the hub's log tells more
        self.request_id = request_id
        fields = "".join(f"; {error.pointer}: {error.detail}" for error in self.errors if error.detail != self.detail)
        super().__init__(f"{status} {self.code}: {self.detail}{fields}")

    @staticmethod
    def of(answer: httpx.Response) -> "HubProblem":
        """Return the problem of an answer; one that is none, as from a proxy in between, has the code `http_STATUS`."""
        document: dict[str, Any] = {"detail": answer.reason_phrase}
        if "problem+json" in answer.headers.get("content-type", ""):
            with suppress(ValueError):
                document = answer.json()
        return HubProblem(answer.status_code, document, answer.headers.get("x-request-id"))


class HubUnreachable(Exception):
    """No answer came, however often it was asked for."""
