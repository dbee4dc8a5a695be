"""What operators see: JSON logs with a request id, and Prometheus metrics by route."""

import json
import logging
import re
import sys
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.clock import SystemClock, monotonic
from app.kit.ids import new_id

LOG = logging.getLogger("hub.http")
_SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
#: nothing of ours is framed, sniffed or leaked as a referrer
SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


def carried(request_id: str) -> list[tuple[bytes, bytes]]:
    """Return the headers that every answer carries."""
    return [(b"x-request-id", request_id.encode()), *SAFE_HEADERS]


class Metrics:
    """The counters of one process; each application has its own registry."""

    def __init__(self) -> None:
        """Register all metrics."""
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("hub_requests", "requests answered", labels, registry=self.registry)
        self.seconds = Histogram("hub_request_seconds", "time to answer", labels[:2], registry=self.registry)
        self.in_flight = Gauge("hub_requests_in_flight", "requests being answered", registry=self.registry)
        self.clearings = Counter("hub_clearing_runs", "clearing runs", ("status",), registry=self.registry)
        self.clearing_seconds = Histogram("hub_clearing_seconds", "time of a clearing run", registry=self.registry)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level, logger, message and what `extra={"fields": ...}` adds."""
        line: dict[str, Any] = {
            "at": SystemClock().now().isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_as_json(level: str = "INFO") -> None:
    """Send all logs to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # our own line for a request says more than uvicorn's
    logging.getLogger("uvicorn.access").disabled = True


class Observed:
    """ASGI middleware: gives each request an id, counts it, times it, logs it."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = monotonic(), 500

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *carried(request_id)]
            await send(message)

        metrics: Metrics = scope["app"].state.hub.metrics
        with metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, send_observed)
            finally:
                _record(metrics, scope, request_id, status, monotonic() - started)


def _record(metrics: Metrics, scope: Scope, request_id: str, status: int, seconds: float) -> None:
    # the template, not the path: a path would let a client grow the set of labels
    route = getattr(scope.get("route"), "path", "-")
    metrics.requests.labels(scope["method"], route, status).inc()
    metrics.seconds.labels(scope["method"], route).observe(seconds)
    fields = {"request_id": request_id, "method": scope["method"], "path": scope["path"], "status": status}
    LOG.info("request", extra={"fields": {**fields, "ms": round(seconds * 1000, 1)}})


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
            return str(value, "ascii")
    return str(new_id())
