"""What Pydantic refuses, told as field errors in both languages; and the scalar types of the contract."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.kit.problems import FieldError
from app.kit.text import Text

#: Pydantic error type -> what to tell; {names} come from the error's context
SENTENCES: Mapping[str, Text] = {
    "missing": Text("Wajib diisi.", "Required."),
    "extra_forbidden": Text("Tidak dikenal; hapus isian ini.", "Unknown field; remove it."),
    "int_type": Text("Harus bilangan bulat.", "It must be a whole number."),
    "int_parsing": Text("Harus bilangan bulat.", "It must be a whole number."),
    "int_from_float": Text("Harus bilangan bulat.", "It must be a whole number."),
    "bool_type": Text("Harus true atau false.", "It must be true or false."),
    "bool_parsing": Text("Harus true atau false.", "It must be true or false."),
    "string_type": Text("Harus teks.", "It must be a text."),
    "string_too_short": Text("Minimal {min_length} karakter.", "At least {min_length} characters."),
    "string_too_long": Text("Maksimal {max_length} karakter.", "At most {max_length} characters."),
    "string_pattern_mismatch": Text("Bentuk penulisannya tidak sesuai.", "It is not written in the expected form."),
    "greater_than": Text("Harus lebih dari {gt}.", "It must be above {gt}."),
    "greater_than_equal": Text("Minimal {ge}.", "It must be at least {ge}."),
    "less_than": Text("Harus kurang dari {lt}.", "It must be below {lt}."),
    "less_than_equal": Text("Maksimal {le}.", "It must be at most {le}."),
    "enum": Text("Pilih salah satu: {expected}.", "Choose one of: {expected}."),
    "literal_error": Text("Pilih salah satu: {expected}.", "Choose one of: {expected}."),
    "list_type": Text("Harus daftar.", "It must be a list."),
    "too_long": Text("Maksimal {max_length} butir.", "At most {max_length} items."),
    "too_short": Text("Minimal {min_length} butir.", "At least {min_length} items."),
    "uuid_parsing": Text("Harus UUID.", "It must be a UUID."),
    "uuid_type": Text("Harus UUID.", "It must be a UUID."),
    "model_attributes_type": Text("Harus objek JSON.", "It must be a JSON object."),
    "model_type": Text("Harus objek JSON.", "It must be a JSON object."),
    "dict_type": Text("Harus objek JSON.", "It must be a JSON object."),
    "one_of": Text("Isi salah satu saja.", "Give exactly one of them."),
    "day": Text(
        "Tulis tanggal sebagai YYYY-MM-DD, dari tahun 2000 sampai 2199.",
        "Write the day as YYYY-MM-DD, from 2000 to 2199.",
    ),
    "instant": Text(
        "Tulis waktu menurut RFC 3339, dari tahun 2000 sampai 2199.",
        "Write the instant as RFC 3339 says, from 2000 to 2199.",
    ),
    "quantity": Text(
        "Tulis jumlah sebagai bilangan biasa di atas 0, paling banyak 6 angka di belakang koma.",
        "Write the quantity as a plain number above 0 with at most 6 decimals.",
    ),
    "one_of_two": Text("Isi salah satu dari dua isian.", "Give one of the two fields."),
    "forbidden_character": Text("Teks memuat karakter terlarang.", "The text holds a forbidden character."),
    "timezone_aware": Text("Sertakan zona waktu, misalnya +07:00.", "Give the offset too, such as +07:00."),
    "datetime_from_date_parsing": Text("Tulis waktu menurut RFC 3339.", "Write the instant as RFC 3339 says."),
    "datetime_parsing": Text("Tulis waktu menurut RFC 3339.", "Write the instant as RFC 3339 says."),
}


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """Translate Pydantic's errors; pointers lead into the body (RFC 6901) or name a parameter."""
    return [_field_error(error) for error in errors[:50]]


def _field_error(error: Mapping[str, Any]) -> FieldError:
    place, *steps = error["loc"]
    pointer = _pointer(steps) if place == "body" else str(steps[0] if steps else place)
    sentence = SENTENCES.get(error["type"])
    context = {name: value for name, value in error.get("ctx", {}).items() if isinstance(value, str | int | Decimal)}
    if sentence is None:
        return FieldError(pointer, error["type"], Text("Nilai tidak dapat dibaca.", f"{error['msg']}."))
    try:
        told = Text(sentence.id.format(**context), sentence.en.format(**context))
    except KeyError:
        told = Text("Nilai tidak dapat dibaca.", f"{error['msg']}.")
    return FieldError(pointer, error["type"], told)


def _pointer(steps: Iterable[Any]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class Shape(BaseModel):
    """Base of request bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Patch(Shape):
    """Base of merge patches (RFC 7396): a field that is absent stays as it is."""

    def changes(self) -> dict[str, Any]:
        """Return the fields that the client sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def may_change(**about: Any) -> Any:
    """Describe a field of a Patch: optional to send, and null only where its type says so."""
    return Field(default_factory=lambda: None, **about)


class Answer(BaseModel):
    """Base of responses, read from rows."""

    model_config = ConfigDict(from_attributes=True)


#: years in which days may lie: where they are reckoned on, the calendar does not end
FIRST_YEAR, LAST_YEAR = 2000, 2199

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_QUANTITY = re.compile(r"\d{1,13}(\.\d{1,6})?", re.ASCII)
#: control characters other than tab and line breaks
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _day(value: object) -> object:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("day", "write the day as YYYY-MM-DD")
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("day", "there is no such day") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("day", "the day is too far away")
    return day


def _text_of_instant(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise PydanticCustomError("instant", "write the instant as RFC 3339 says")
    return value


def _near_instant(value: datetime) -> datetime:
    if not FIRST_YEAR < value.year < LAST_YEAR:
        raise PydanticCustomError("instant", "the instant is too far away")
    return value


def _quantity(value: object) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite():
        value = f"{value:f}"
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value) or not Decimal(value):
        raise PydanticCustomError("quantity", "write the quantity as a plain number above 0")
    return Decimal(value)


def _plain(value: str) -> str:
    if _CONTROL.search(value):
        raise PydanticCustomError("forbidden_character", "the text holds a forbidden character")
    return value


#: a calendar day, YYYY-MM-DD
Day = Annotated[date, BeforeValidator(_day)]
#: an instant with its offset, RFC 3339
Instant = Annotated[AwareDatetime, BeforeValidator(_text_of_instant), AfterValidator(_near_instant)]
#: a number or decimal string above 0, as typed
Quantity = Annotated[
    Decimal,
    BeforeValidator(_quantity, json_schema_input_type=Annotated[int | float | str, Field(examples=[400, "2.5"])]),
]
#: a whole number, never a boolean or a text
Whole = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)]
#: whole rupiah as typed, per price unit; per base unit 1 to 10^8
Rupiah = Annotated[int, Field(strict=True, ge=1, le=10**15)]
#: a code of ours: region, commodity, grade, unit
Code = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_plain)]
#: one line of text
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_plain)]
#: a note
Note = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_plain)]
