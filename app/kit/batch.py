"""Many posts in one request: each item is judged alone, the good ones are stored together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from app.kit.problems import FieldError, Invalid, Problem
from app.kit.validation import field_errors

Draft = TypeVar("Draft", bound=BaseModel)
Values = dict[str, Any]


async def post_batch(
    items: Sequence[Mapping[str, Any]],
    *,
    shape: type[Draft],
    prepare: Callable[[Draft], Awaitable[Values]],
    publish: Callable[[list[Values]], Awaitable[set[UUID]]],
    taken: type[Problem],
    atomic: bool,
    language: str,
) -> list[dict[str, Any]]:
    """Post items; returns one result per item, in order.

    1. Read each item as `shape` and `prepare` its row: what is wrong with one does not touch another.
    2. A reference that appears twice in the batch is `taken` the second time.
    3. When `atomic`, one wrong item refuses all. Raises Invalid (422) with pointers into /items.
    4. `publish` stores the rest at once and returns the ids it stored; the others were `taken` meanwhile.
    """
    prepared: dict[int, Values] = {}
    refused: dict[int, Problem] = {}
    seen: set[tuple[Any, str]] = set()
    for index, item in enumerate(items):
        try:
            values = await prepare(read_item(shape, item))
        except Problem as problem:
            refused[index] = problem
            continue
        reference = (values["organization_id"], values["external_ref"])
        if values["external_ref"] is not None and reference in seen:
            refused[index] = taken()
            continue
        seen.add(reference)
        prepared[index] = values
    _refuse_all(refused, atomic=atomic)
    stored = await publish(list(prepared.values())) if prepared else set()
    refused |= {index: taken() for index, values in prepared.items() if values["id"] not in stored}
    _refuse_all(refused, atomic=atomic)
    return [
        {"index": index, "status": 201, "id": prepared[index]["id"]}
        if index not in refused
        else {
            "index": index,
            "status": refused[index].status,
            "problem": refused[index].document(language=language, request_id=None),
        }
        for index in range(len(items))
    ]


def read_item(shape: type[Draft], item: Mapping[str, Any]) -> Draft:
    """Return one item as `shape`. Raises Invalid (422) with pointers into the item."""
    try:
        return shape.model_validate(item)
    except ValidationError as error:
        located = [{**found, "loc": ("body", *found["loc"])} for found in error.errors()]
        raise Invalid(errors=field_errors(located)) from None


def _refuse_all(refused: Mapping[int, Problem], *, atomic: bool) -> None:
    if not atomic or not refused:
        return
    errors = [
        FieldError(f"/items/{index}{error.pointer}", error.code, error.detail)
        for index, problem in sorted(refused.items())
        for error in (problem.errors or (FieldError("", problem.code, problem.detail or problem.title),))
    ]
    raise Invalid(errors=errors[:50])
