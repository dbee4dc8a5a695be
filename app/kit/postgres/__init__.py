"""A real PostgreSQL that starts and stops with the app, for when no DATABASE_URL names another.

    with EmbeddedPostgres.start(Path("data/postgres")) as server:
        engine = create_async_engine(server.url)

*Owner* is the process that started the server: the server ends when the owner does, even by kill -9. *Guest* is any
other process that starts one on the same folder meanwhile: it shares the server and leaves it running. In the folder:

    lock           held by the owner, names its process
    cluster        PostgreSQL's files; never half made: it is built as cluster.new-*, then renamed
    postgres.log   what initdb and the server said

PostgreSQL refuses to run as root. Started as root it runs as the owner of the data folder if that is an ordinary user,
else as `nobody`. Where that user may not enter the data folder (a checkout below /root), `cluster` is a link to a
folder below `account.STATE`, and the wheel's programs, if out of reach too, are copied there: opening somebody's home
to others instead would outlive us.
"""

from app.kit.postgres.account import PostgresError
from app.kit.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "PostgresError"]
