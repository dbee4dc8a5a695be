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
    forbidden = (
        "datetime.now",
        "datetime.utcnow",
        "date.today",
        "time.time",
        "time.monotonic",
        "uuid4",
        "uuid7",
        "uuid1",
    )
    return [call for call in calls(ast.parse(source)) if call.endswith(forbidden)]


def long_functions(source: str) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno + 1 > MOST_FUNCTION_LINES]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_database_module_commits(path: Path) -> None:
    assert path.name == "db.py" or not commits(path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_clock_and_ids_have_one_place_each(path: Path) -> None:
    own = path.name in ("clock.py", "ids.py") or path.parent.name == "postgres"
    assert own or not tells_time_or_makes_ids(path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_stay_short(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= MOST_FILE_LINES
    assert long_functions(source) == []


def test_the_checks_see_what_they_look_for() -> None:
    """The controls: each check finds its fault in a small bad sample."""
    assert commits("async def f(s):\n    await s.commit()")
    assert tells_time_or_makes_ids("import datetime\nx = datetime.datetime.now()")
    assert long_functions("def f():\n" + "    x = 1\n" * MOST_FUNCTION_LINES) == ["f"]


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=name)
def test_packages_open_with_a_sentence_and_export_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert path.parent.name == "postgres" or len(tree.body) == 1


def test_alembic_does_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_declares_its_answer_and_its_problems(route: APIRoute) -> None:
    streams = {"stream_job", "get_metrics"}
    assert route.response_model is not None or route.status_code == 204 or route.name in streams
    assert 422 in route.responses or "422" in route.responses
    assert route.description
