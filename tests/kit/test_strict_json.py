"""JSON as the hub reads it: what two parsers could read differently is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.problems import Invalid
from app.kit.strict_json import strict_json

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | PLAIN,
    lambda inner: st.lists(inner) | st.dictionaries(PLAIN, inner),
)


@given(VALUES, st.booleans())
def test_what_was_written_is_read_back(value: Any, ascii_only: bool) -> None:  # noqa: FBT001
    assert strict_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        strict_json(body)
    except Invalid as refused:
        assert refused.errors[0].code.startswith("json_")  # noqa: PT017 - either way is fine


def test_figures_with_a_point_stay_exact() -> None:
    assert strict_json(b"[0.1, 1e2, -2.50]") == [Decimal("0.1"), Decimal("1E+2"), Decimal("-2.50")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a": 1, "a": 2}', "json_duplicate_key"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "json_duplicate_key"),
        (b"[NaN]", "json_number"),
        (b"[-Infinity]", "json_number"),
        (b"[1e400]", "json_number"),
        (b"[9223372036854775808]", "json_number"),
        (b"[" + b"9" * 5000 + b"]", "json_number"),
        (b"[0." + b"1" * 5000 + b"]", "json_number"),
        (b'["\\u0000"]', "json_character"),
        (b'["\\ud800"]', "json_character"),
        (b'{"\\udfff": 1}', "json_character"),
        (b"[" * 100_000 + b"]" * 100_000, "json_nesting"),
        (b'{"a":' * 100_000, "json_nesting"),
        ("[1]".encode("utf-16"), "json_encoding"),
        (b'"\xff"', "json_encoding"),
        (b"\xef\xbb\xbf[1]", "json_invalid"),
        (b"[1_000]", "json_invalid"),
        (b"[01]", "json_invalid"),
        (b"{'a': 1}", "json_invalid"),
        (b"[1] [2]", "json_invalid"),
        (b"[1,]", "json_invalid"),
        (b'"a\nb"', "json_invalid"),
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        strict_json(body)
    assert [error.code for error in refused.value.errors] == [code]


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert strict_json(b'"\\ud83e\\udd5a"') == "\U0001f95a"
