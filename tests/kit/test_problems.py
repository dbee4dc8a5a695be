"""Errors as people and programs read them, in two languages."""

from typing import Any

import pytest

from app.kit.problems import Problem
from app.kit.text import preferred_language


def subclasses(of: type[Problem]) -> set[type[Problem]]:
    return {of}.union(*(subclasses(one) for one in of.__subclasses__()))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "id"),
        ("", "id"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("id-ID,id;q=0.9,en;q=0.8", "id"),
        ("id;q=0.4, en;q=0.5", "en"),
        ("jv, en;q=0.1", "en"),
        ("de", "id"),
        ("en;q=0", "id"),
        ("en;q=x", "id"),
        ("*", "id"),
        ("," * 1000 + "en", "id"),
    ],
)
def test_the_language_follows_the_header(header: str | None, language: str) -> None:
    assert preferred_language(header) == language


async def test_a_problem_has_every_member_of_its_format(api: Any) -> None:
    answer = await api.get("/v1/regions/99.99", headers={"X-Request-Id": "abc-1"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:blitar-hub:problem:not_found",
        "title": "Data tidak ditemukan.",
        "status": 404,
        "code": "not_found",
        "detail": "Data tidak ditemukan.",
        "errors": [],
        "request_id": "abc-1",
    }


@pytest.mark.parametrize(
    ("language", "title", "detail"),
    [
        ("id", "Isian belum benar.", "Wajib diisi."),
        ("en", "Some fields are not right.", "Required."),
    ],
)
async def test_fields_are_told_in_the_language_of_the_reader(
    scenario: Any, language: str, title: str, detail: str
) -> None:
    headers = scenario.as_(scenario.keys.buyers["Pedagang telur Depok (contoh)"], **{"Accept-Language": language})
    answer = await scenario.post("/v1/demands", json={"commodity": "beras"}, headers=headers)
    assert answer.headers["content-language"] == language
    assert answer.json()["title"] == title
    told = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert told == dict.fromkeys(("/min_grade", "/quantity", "/unit", "/max_price_idr"), detail)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/regions/%00", 400, "bad_request"),
        ("DELETE", "/v1/regions", 405, "method_not_allowed"),
        ("GET", "/v1/regions?colour=red", 400, "bad_request"),
        ("GET", "/v1/regions?sort=population", 400, "bad_request"),
        ("GET", "/v1/regions?limit=0", 422, "invalid"),
        ("GET", "/v1/listings/not-an-id", 401, "unauthenticated"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    api: Any, method: str, path: str, status: int, code: str
) -> None:
    answer = await api.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bug_tells_its_number_and_nothing_else(api: Any, monkeypatch: Any) -> None:
    def breaks(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("app.regions.queries.regions", breaks)
    answer = await api.get("/v1/regions")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text


def test_every_problem_has_a_code_of_its_own_and_speaks_both_languages() -> None:
    problems = subclasses(Problem)
    assert len({problem.code for problem in problems}) == len(problems)
    for problem in problems:
        assert problem.title.id != problem.title.en
        assert problem.title.id.endswith(".")
        assert problem.__doc__
        assert problem.__doc__.startswith(f"{problem.status}: ") or problem is Problem
