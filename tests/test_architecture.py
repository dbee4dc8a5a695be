"""What the import contracts cannot hold, read from the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from app.main import ROUTERS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "app").rglob("*.py"))
MOST_FILE_LINES, MOST_FUNCTION_LINES = 400, 50


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names of everything that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def commits(source: str) -> list[str]:
    return [call for call in calls(ast.parse(source)) if call.endswith((".commit", ".begin_nested"))]


def tells_time_or_makes_ids(source: str) -> list[str]:
    """Return what reads a clock or makes an id, by whatever name it is imported."""
    tree = ast.parse(source)
    forbidden = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid1", "uuid4", "uuid7")
    found = [call for call in calls(tree) if call.endswith(forbidden)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in ("time", "uuid", "uuid_utils")]
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "uuid", "uuid_utils", "uuid_utils.compat"):
            found += [alias.name for alias in node.names if alias.name != "UUID"]
    return found


def long_functions(source: str) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno + 1 > MOST_FUNCTION_LINES]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_database_module_commits(path: Path) -> None:
    assert name(path) == "app/kit/db.py" or not commits(path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_clock_and_ids_have_one_place_each(path: Path) -> None:
    # how long a server takes to start is no business of the hub's clock
    own = name(path) in ("app/kit/clock.py", "app/kit/ids.py") or name(path.parent) == "app/kit/postgres"
    assert own or not tells_time_or_makes_ids(path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_stay_short(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= MOST_FILE_LINES
    assert long_functions(source) == []


def test_the_checks_see_what_they_look_for() -> None:
    """The controls: each check finds its fault in a small bad sample."""
    assert commits("async def f(s):\n    await s.commit()")
    assert commits("with s.begin_nested():\n    pass")
    assert not commits("asyncio.run(commits())")
    for bad in (
        "x = datetime.datetime.now()",
        "from time import monotonic",
        "import time as t",
        "from uuid import uuid4",
    ):
        assert tells_time_or_makes_ids(bad), bad
    assert not tells_time_or_makes_ids("from uuid import UUID\nfrom app.kit.clock import monotonic")
    assert long_functions("def f():\n" + "    x = 1\n" * MOST_FUNCTION_LINES) == ["f"]
    assert opens_with_a_sentence('"""What this is."""\n')
    assert not opens_with_a_sentence("")
    assert not opens_with_a_sentence('"""what"""\n')
    assert not exports_nothing('"""What this is."""\nfrom app.x.service import publish\n')


def opens_with_a_sentence(source: str) -> bool:
    first = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return first[:1].isupper() and first.endswith(".")


def exports_nothing(source: str) -> bool:
    return len(ast.parse(source).body) == 1


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=name)
def test_packages_open_with_a_sentence_and_export_nothing(path: Path) -> None:
    source = path.read_text()
    assert opens_with_a_sentence(source)
    # a folder of binaries' launcher and the client, which have one door each
    assert exports_nothing(source) or name(path.parent) in ("app/kit/postgres", "app/client")


def test_alembic_does_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def undeclared(route: APIRoute) -> list[str]:
    """Return what a route leaves unsaid."""
    streams = route.name in (
        "stream_job",
        "stream_events",
        "get_metrics",
        "get_papers",
        "get_import_template",
        "get_import_workbook",
    )
    said = {
        "response model": route.response_model is not None or route.status_code == 204 or streams,
        "problems": {400, 422, 503} <= set(route.responses),
        "description": bool(route.description),
    }
    return [what for what, is_said in said.items() if not is_said]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_declares_its_answer_and_its_problems(route: APIRoute) -> None:
    assert undeclared(route) == []


def test_a_route_that_declares_nothing_is_noticed() -> None:
    async def get_nothing():  # type: ignore[no-untyped-def]  # noqa: ANN202 - what the control is about
        pass

    assert undeclared(APIRoute("/nothing", get_nothing)) == ["response model", "problems", "description"]
