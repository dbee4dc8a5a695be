"""`hub register`: the first hub of a database, and the key with which it registers everybody else."""

import asyncio
from typing import Annotated

import typer

from app.cli.context import clock_of, running_database, settings_of
from app.cli.output import complain, print_json
from app.cli.prepare import migrate_database, prepare
from app.config import Settings
from app.kit.db import Database
from app.kit.principal import Role
from app.kit.problems import invalid
from app.kit.text import Text
from app.outbox.events import WORKER
from app.parties import service as parties
from app.regions.service import require_region


def register(
    name: Annotated[str, typer.Argument(help="name of the hub's office")],
    region: Annotated[str, typer.Option(help="code of the hub's region")] = "35.72",
) -> None:
    """Register a hub in a prepared or an empty database and print its key, which is shown this once.

    Everybody else is registered with that key: POST /v1/organizations.
    """
    settings = settings_of()
    with running_database(settings) as url:
        migrate_database(url)
        prepare(settings, url, with_demo=False)
        key = asyncio.run(_register(settings, url, name, region))
    complain(Text("simpan kunci ini; tidak ditampilkan lagi.", "keep this key; it is not shown again."))
    print_json({"hub": key})


async def _register(settings: Settings, url: str, name: str, region: str) -> str:
    database, now = Database(url, pool_size=1), clock_of(settings).now()
    values = {"name": name, "role": Role.HUB, "kind": "hub", "region": region}
    try:
        async with database.transaction() as session:
            if (await require_region(session, code=region, pointer="region")).role != "hub":
                raise invalid("region", "no_hub", Text(f"{region} bukan wilayah hub.", f"{region} is not a hub."))
            hub = await parties.register(session, hub=region, values=values, now=now, actor=WORKER)
            _, key = await parties.create_key(
                session, organization=hub, label="hub register", environment=settings.environment, now=now
            )
            return key
    finally:
        await database.dispose()
