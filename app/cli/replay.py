"""`hub replay`: a stored run solved again."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from app.cli.context import Acting, as_hub
from app.cli.output import OUTPUT, console, print_json, read
from app.kit.text import Text
from app.matching import queries
from app.matching.replay import Replayed
from app.matching.replay import replay as replay_run

LATEST = "latest"


def replay(run: Annotated[str, typer.Argument(help="id of a run, or `latest`")] = LATEST) -> None:
    """Solve a stored run again: the same engine gives the same bytes."""
    asked = None if run == LATEST else _run_id(run)

    async def work(acting: Acting) -> Replayed:
        async with acting.database.reader() as session:
            return await replay_run(session, run_id=asked or await queries.latest_run(session))

    replayed = as_hub(work)
    if OUTPUT.as_json:
        print_json(
            {name: str(value) for name, value in asdict(replayed).items()}
            | {
                "input_is_intact": replayed.input_is_intact,
                "output_is_intact": replayed.output_is_intact,
                "same": replayed.same,
            }
        )
    else:
        _tell(replayed)
    if not replayed.same:
        raise typer.Exit(1)


def _run_id(run: str) -> UUID:
    try:
        return UUID(run)
    except ValueError:
        message = read(Text("bukan id run; yang terakhir adalah `latest`", "not the id of a run; the last is `latest`"))
        raise typer.BadParameter(message, param_hint="RUN") from None


def _tell(replayed: Replayed) -> None:
    intact, changed = Text("utuh", "intact"), Text("BERUBAH", "CHANGED")
    same, other = Text("sama, byte demi byte", "the same, byte by byte"), Text("TIDAK SAMA", "NOT THE SAME")
    for name, value in (
        (Text("run", "run"), str(replayed.run_id)),
        (Text("mesin dulu", "engine then"), replayed.engine),
        (Text("mesin kini", "engine now"), replayed.engine_now),
        (Text("hasil dulu", "output then"), replayed.output_sha256),
        (Text("hasil kini", "output now"), replayed.output_sha256_now),
        (Text("masukan", "input"), read(intact if replayed.input_is_intact else changed)),
        (Text("keluaran", "output"), read(intact if replayed.output_is_intact else changed)),
        (Text("kesimpulan", "verdict"), read(same if replayed.same else other)),
    ):
        console.print(f"{read(name):<12} {value}", markup=False, soft_wrap=True)
