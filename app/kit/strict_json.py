"""JSON as the hub reads it: strictly. What two parsers could read differently is refused."""

import json
from decimal import Decimal
from typing import Any, NoReturn

from app.kit.problems import Invalid, invalid
from app.kit.text import Text

LARGEST = 2**63 - 1
#: a number written with more characters than this is refused unread
LONGEST_NUMBER = 40


def strict_json(body: bytes) -> Any:
    """Return the value that UTF-8 JSON `body` holds; numbers with a point or exponent as Decimal.

    Raises Invalid (422) for malformed JSON, other encodings, NaN and Infinity, numbers beyond 64 bits, duplicate
    keys, NUL characters, lone surrogates, and nesting beyond what the parser holds.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("encoding", "Isi permintaan harus UTF-8.", "The body must be UTF-8.") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_decimal,
            parse_int=_integer,
        )
        if "\\u" in text:
            _check_text(value)
    except RecursionError as error:
        raise _refused("nesting", "JSON bersarang terlalu dalam.", "The JSON is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise _refused(
            "json", f"JSON tidak sah pada karakter {error.pos}.", f"Malformed JSON at character {error.pos}."
        ) from error
    return value


def _refused(code: str, indonesian: str, english: str) -> Invalid:
    return invalid("", f"json_{code}" if code != "json" else "json_invalid", Text(indonesian, english))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _refused("duplicate_key", "Satu nama ditulis dua kali.", "A key appears twice.")
    return value


def _constant(name: str) -> NoReturn:
    raise _refused("number", f"{name} bukan bilangan.", f"{name} is not a number.")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER or abs(int(digits)) > LARGEST:
        raise _refused("number", "Bilangan melebihi 64 bit.", "A number is beyond 64 bits.")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    value = Decimal(digits) if len(digits) <= LONGEST_NUMBER else Decimal("Infinity")
    # adjusted() is the power of ten of the first digit: 1e400 is refused without writing out its zeros
    if not value.is_finite() or value.adjusted() > 18:  # noqa: PLR2004 - 10^18 is what 64 bits hold
        raise _refused("number", "Bilangan melebihi 64 bit.", "A number is beyond 64 bits.")
    return value


def _check_text(value: Any) -> None:
    match value:
        case str():
            if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
                raise _refused("character", "Teks memuat karakter terlarang.", "A text holds a forbidden character.")
        case list():
            for item in value:
                _check_text(item)
        case dict():
            for key, item in value.items():
                _check_text(key)
                _check_text(item)
        case _:
            pass
