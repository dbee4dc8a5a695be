"""Sending a request until it is answered: each intent has one effect, each refusal is an exception."""

import json
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_random_exponential

from app.client.errors import HubProblem, HubUnreachable
from app.kit.clock import SystemClock
from app.kit.ids import new_id

#: the hub, or a proxy before it, could not do it now: nothing was done
TRY_AGAIN = frozenset({429, 503})
#: a proxy got no answer from the hub: it may have been done
UNKNOWN = frozenset({502, 504})
#: seconds: a server that asks to be left alone for longer is not waited for
LONGEST_WAIT = 60.0

_backoff = wait_random_exponential(multiplier=0.2, max=10)


class Sender:
    """One connection pool, one key, one way of asking again."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        attempts: int,
        sleep: Callable[[float], None],
    ) -> None:
        """Ask by `http`, at most `attempts` times, waiting by `sleep` seconds in between."""
        self._http, self._attempts, self._sleep = http, attempts, sleep

    def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **parts: Any) -> httpx.Response:
        """Return the answer to a request; `parts` are httpx's: params, json, data, files.

        1. A POST carries an Idempotency-Key, so that asking again has no second effect.
        2. Asked again, after Retry-After or a growing random pause: what was answered 429, 503, or 409 because the
           first try is still running; and, where a second effect is impossible, what was not answered at all.
        3. Any other refusal is raised at once.

        Raises HubProblem, HubUnreachable.
        """
        own = {"Idempotency-Key": str(new_id())} if method == "POST" else {}
        if "json" in parts:
            own["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
            parts["content"] = json.dumps(parts.pop("json"), default=str)
        request = self._http.build_request(method, path, headers={**own, **(headers or {})}, **parts)
        # read once, so that every try sends the same bytes
        request.read()
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            retry=lambda state: _is_worth_another_try(request, state),
            wait=_pause,
            sleep=self._sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        try:
            answer: httpx.Response = retrying(self._http.send, request)
        except httpx.TransportError as error:
            raise HubUnreachable(f"{request.url}: {error or type(error).__name__}") from error
        if not answer.is_success:
            raise HubProblem.of(answer)
        return answer


def _is_worth_another_try(request: httpx.Request, state: RetryCallState) -> bool:
    assert state.outcome is not None  # noqa: S101 - asked after a try
    # a PATCH that was carried out is refused the second time: its If-Match no longer fits
    once = request.method == "PATCH"
    error = state.outcome.exception()
    if error is not None:
        never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        return isinstance(error, httpx.TransportError) and (never_sent or not once)
    answer: httpx.Response = state.outcome.result()
    if (retry_after := _retry_after(answer)) is not None and retry_after > LONGEST_WAIT:
        return False
    if answer.status_code == httpx.codes.CONFLICT:
        return HubProblem.of(answer).code == "idempotency_key_in_use"
    return answer.status_code in TRY_AGAIN or (answer.status_code in UNKNOWN and not once)


def _pause(state: RetryCallState) -> float:
    """Return the seconds before the next try: what the server asked for, and never less than the growing pause."""
    assert state.outcome is not None  # noqa: S101 - asked after a try
    asked = None if state.outcome.failed else _retry_after(state.outcome.result())
    return max(asked or 0.0, _backoff(state))


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 10.2.3), given as a number or as an instant."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - SystemClock().now()).total_seconds())
    except (ValueError, TypeError):
        return None
