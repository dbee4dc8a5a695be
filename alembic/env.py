"""How alembic reaches the database: asyncpg, one transaction a migration, a short wait for locks."""

import asyncio
import os
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from alembic import context
from app.kit.db import Base, asyncpg_url

APP = Path(__file__).resolve().parent.parent / "app"
for models in sorted(APP.glob("*/models.py")):
    import_module(f"app.{models.parent.name}.models")
import_module("app.kit.idempotency")


def migrate(connection: Connection) -> None:
    """Run the migrations over an open connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_migrate() -> None:
    """Connect to the URL that the caller or the environment gives."""
    url = context.config.attributes.get("database_url") or os.environ["DATABASE_URL"]
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        # A migration that waits behind a long query makes everybody wait behind it: give up soon instead.
        await connection.execute(text("SET lock_timeout = '5s'"))
        await connection.commit()
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_migrate())
