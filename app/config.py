"""Settings: read once from the environment, frozen, passed in, never global."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between one installation and another."""

    #: any PostgreSQL 15 or later; None starts the embedded one in `data_dir`
    database_url: str | None = None
    #: where LISTEN works, if `database_url` leads through a pooler in transaction mode
    database_listen_url: str | None = None
    #: where the embedded database, its log and the demo keys live
    data_dir: Path = CHECKOUT / ".hub"
    #: the middle part of API keys: btc_<environment>_<random>
    environment: str = "demo"
    #: requests a minute and key, then 429
    requests_per_minute: int = 600
    #: bytes of a request body, then 413
    max_body_bytes: int = 1024 * 1024
    #: bytes of a body that carries a file, then 413
    max_file_bytes: int = 20 * 1024 * 1024
    #: connections this process may hold
    pool_size: int = 16
    #: a statement longer than this is cancelled, milliseconds
    statement_timeout_ms: int = 30_000
    #: waiting longer than this for a lock answers 503, milliseconds
    lock_timeout_ms: int = 5_000
    #: orders in the pools of a clearing run above which it becomes a job of the worker
    clearing_job_threshold: int = 20_000
    #: seconds after which a stream of events ends and its reader connects again
    stream_seconds: int = 3600
    #: the hub's fee, per mille of the goods' value, deducted from the producer
    hub_fee_permille: int = 0
    #: webhooks may lead to addresses inside and to plain http: for receivers on the developer's own machine
    webhooks_inside: bool = False
    #: the clock stands here: for telling the opening scenario again
    clock_at: datetime | None = None

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        """Read DATABASE_URL and HUB_* variables; absent ones keep their defaults.

        Raises ValueError naming the variable when a value cannot be read.
        """
        defaults = Settings()
        return Settings(
            database_url=environment.get("DATABASE_URL") or None,
            database_listen_url=environment.get("DATABASE_LISTEN_URL") or None,
            data_dir=Path(environment.get("HUB_DATA_DIR") or defaults.data_dir).absolute(),
            environment=environment.get("HUB_ENVIRONMENT", defaults.environment),
            requests_per_minute=_whole(environment, "HUB_REQUESTS_PER_MINUTE", defaults.requests_per_minute),
            max_body_bytes=_whole(environment, "HUB_MAX_BODY_BYTES", defaults.max_body_bytes),
            max_file_bytes=_whole(environment, "HUB_MAX_FILE_BYTES", defaults.max_file_bytes),
            pool_size=_whole(environment, "HUB_POOL_SIZE", defaults.pool_size),
            statement_timeout_ms=_whole(environment, "HUB_STATEMENT_TIMEOUT_MS", defaults.statement_timeout_ms),
            lock_timeout_ms=_whole(environment, "HUB_LOCK_TIMEOUT_MS", defaults.lock_timeout_ms),
            clearing_job_threshold=_whole(environment, "HUB_CLEARING_JOB_THRESHOLD", defaults.clearing_job_threshold),
            stream_seconds=_whole(environment, "HUB_STREAM_SECONDS", defaults.stream_seconds),
            hub_fee_permille=_whole(environment, "HUB_FEE_PERMILLE", defaults.hub_fee_permille, bounds=(0, 1000)),
            webhooks_inside=_yes(environment, "HUB_WEBHOOKS_INSIDE"),
            clock_at=_instant(environment, "HUB_CLOCK_AT"),
        )


def _whole(environment: Mapping[str, str], name: str, default: int, *, bounds: tuple[int, int] = (1, 2**63)) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not bounds[0] <= int(text) <= bounds[1]:
        message = f"{name} must be a whole number from {bounds[0]} to {bounds[1]}, not {text!r}"
        raise ValueError(message)
    return int(text)


def _yes(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name) or "no"
    if text not in ("yes", "no"):
        message = f"{name} must be yes or no, not {text!r}"
        raise ValueError(message)
    return text == "yes"


def _instant(environment: Mapping[str, str], name: str) -> datetime | None:
    text = environment.get(name)
    if not text:
        return None
    with suppress(ValueError):
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant
    message = f"{name} must be an instant with its offset, such as 2026-11-24T08:00:00+07:00, not {text!r}"
    raise ValueError(message)
