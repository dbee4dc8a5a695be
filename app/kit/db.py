"""The database: one engine, where transactions begin and end, and how its refusals become problems.

Nothing else commits. A request, a job or a command is one transaction; reads need none and run in autocommit.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import MetaData, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import NullPool

from app.kit.problems import Busy, Problem

#: SQLSTATEs after which the same transaction may simply be run again: serialization failure, deadlock
RETRYABLE = frozenset({"40001", "40P01"})
#: SQLSTATEs of a wait that took too long: lock not available, statement cancelled
TIMED_OUT = frozenset({"55P03", "57014"})
ATTEMPTS = 5
#: seconds of silence after which a listening connection is asked whether it lives
PROBE = 10.0

T = TypeVar("T")
Key = TypeVar("Key")

LOG = logging.getLogger("hub.db")


class Base(DeclarativeBase):
    """Base of all rows; constraint names follow one rule so that problems can be told by them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def asyncpg_url(url: str) -> URL:
    """Translate a PostgreSQL URL as libpq spells it to SQLAlchemy's asyncpg dialect.

    `postgresql://` and `postgres://` become `postgresql+asyncpg://`; `sslmode` becomes `ssl`; several hosts
    (`host=a:5432&host=b:5432&target_session_attrs=read-write`) become asyncpg's.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme in ("postgres", "postgresql"):
        url = f"postgresql+asyncpg://{rest}"
    parsed = make_url(url)
    query = dict(parsed.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return parsed.set(query=query)


class Database:
    """An engine with its two kinds of session: a transaction for changes, autocommit for reads."""

    def __init__(
        self, url: str, *, pool_size: int = 16, statement_timeout_ms: int = 30_000, lock_timeout_ms: int = 5_000
    ) -> None:
        """Prepare the engine; nothing connects yet. Limits are milliseconds, kept by PostgreSQL itself."""
        self.engine: AsyncEngine = create_async_engine(
            asyncpg_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            connect_args={
                "timeout": 10,
                "server_settings": {
                    "application_name": "blitar-hub",
                    "timezone": "UTC",
                    "statement_timeout": str(statement_timeout_ms),
                    "lock_timeout": str(lock_timeout_ms),
                    "idle_in_transaction_session_timeout": "60000",
                    # plans of short statements gain nothing from compilation
                    "jit": "off",
                },
            },
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self._readers = async_sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False, autoflush=False
        )
        self._snapshots = async_sessionmaker(
            self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
            expire_on_commit=False,
            autoflush=False,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction at READ COMMITTED: committed when the block ends, rolled back when it raises."""
        async with translated(), self._sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """One REPEATABLE READ READ ONLY transaction: everything read in it stood at one instant."""
        async with translated(), self._snapshots() as session, session.begin():
            yield session

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[AsyncSession]:
        """Statements that commit by themselves, for reading."""
        async with translated(), self._readers() as session:
            yield session

    async def retried(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work` in a transaction of its own, again when PostgreSQL asks for it, at most 5 times.

        For jobs, commands and the clearing commit; requests are not retried by the server.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._sessions() as session, session.begin():
                    return await work(session)
            except DBAPIError as error:
                if sqlstate(error) not in RETRYABLE or attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(0.01 * 2**attempt)
        raise AssertionError

    async def each(self, keys: Iterable[Key], work: Callable[[AsyncSession, Key], Awaitable[object]]) -> None:
        """Run `work` for each key as `retried` does; one that fails is logged and holds up no other."""
        for key in keys:
            try:
                await self.retried(lambda session, key=key: work(session, key))  # type: ignore[misc]  # bound now
            except Exception:
                LOG.exception("due work failed", extra={"fields": {"work": work.__name__, "key": str(key)}})

    async def dispose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


async def notifications(url: str, channel: str) -> AsyncIterator[str]:
    """Yield the payload of each notification of a channel, until the connection is lost, which may raise.

    The first is empty: what was notified before we listened has to be looked up. `url` must lead to PostgreSQL itself,
    or through a pooler in session mode.
    """
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool, connect_args={"timeout": 10})
    #: payloads; None when the connection is lost
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    try:
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.add_listener(channel, lambda _driver, _pid, _channel, payload: heard.put_nowait(payload))
            driver.add_termination_listener(lambda _driver: heard.put_nowait(None))
            payload: str | None = ""
            while payload is not None:
                yield payload
                payload = await _next_or_probe(heard, driver)
    finally:
        await engine.dispose()


async def _next_or_probe(heard: asyncio.Queue[str | None], driver: Any) -> str | None:
    """Return what is heard next; in silence ask whether the connection lives, for nobody may have told its end."""
    while True:
        try:
            return await asyncio.wait_for(heard.get(), PROBE)
        except TimeoutError:
            await asyncio.wait_for(driver.execute("SELECT 1"), PROBE)


@asynccontextmanager
async def part(session: AsyncSession) -> AsyncIterator[None]:
    """Undo a part of a transaction alone when it raises."""
    async with session.begin_nested():
        yield


def sqlstate(error: DBAPIError) -> str | None:
    """Return the SQLSTATE behind a database error, or None when there was no answer."""
    return getattr(error.orig, "sqlstate", None)


def constraint_name(error: IntegrityError) -> str | None:
    """Return the name of the constraint that refused a row."""
    cause: Any = error.orig
    while cause is not None:
        name = getattr(cause, "constraint_name", None)
        if name:
            return str(name)
        cause = cause.__cause__
    return None


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the database's passing refusals into 503, and a known constraint into its problem.

    An unknown constraint stays an IntegrityError, hence a 500: it is a bug.
    """
    try:
        yield
    except IntegrityError as error:
        problem = CONSTRAINT_PROBLEMS.get(constraint_name(error) or "")
        if problem is None:
            raise
        raise problem() from error
    except DBAPIError as error:
        if sqlstate(error) in RETRYABLE | TIMED_OUT or error.connection_invalidated:
            raise Busy from error
        raise
    except (PoolTimeout, ConnectionError) as error:
        raise Busy from error


#: constraint name -> the problem it means; filled by the packages that own the tables
CONSTRAINT_PROBLEMS: dict[str, type[Problem]] = {}


def means(constraint: str, problem: type[Problem]) -> None:
    """Say which problem a refused constraint stands for."""
    CONSTRAINT_PROBLEMS[constraint] = problem
