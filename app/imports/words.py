"""Which commodity, grade, unit and region people mean by what they write in a cell."""

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import cache

from app.catalog.rules import CommodityFacts, Reference
from app.imports.errors import CellRefused
from app.kit.text import Text

#: what people say -> the unit, or the kind of package, of the catalogue
UNIT_WORDS = {
    **dict.fromkeys(("kilo", "kilogram", "kgs", "kg."), "kg"),
    **dict.fromkeys(("kw", "ku", "kwintal", "kuintal", "kwt"), "kuintal"),
    **dict.fromkeys(("t", "tn", "ton", "tonne"), "ton"),
    **dict.fromkeys(("sak", "zak", "sack", "karung", "goni", "bagor"), "karung"),
    **dict.fromkeys(("krat", "crate", "peti", "kotak"), "peti"),
    **dict.fromkeys(("papan", "rak", "tray"), "tray"),
    **dict.fromkeys(("biji", "btr", "butir"), "butir"),
    **dict.fromkeys(("liter", "ltr", "lt", "litre"), "litre"),
    **dict.fromkeys(("ekr", "ekor"), "ekor"),
    **dict.fromkeys(("kardus", "dos", "dus"), "dus"),
    **dict.fromkeys(("pack", "bungkus", "pak"), "pak"),
    **dict.fromkeys(("pieces", "piece", "pc", "pcs"), "pcs"),
    "peti besar": "peti-15",
}
_UNIT = re.compile(r"(?P<word>[a-z. ]+?)[\s\-]*(?:(?P<weight>\d{1,4}(?:[.,]\d{1,3})?)\s*(?:kg|kilo)?)?")
_NOISE = re.compile(r"\b(?:grade|kelas|kualitas|mutu|kw|kota|kabupaten|kab|adm)\b\.?", re.ASCII)
#: characters of a name that are looked at, and unknown names for which close ones are looked for: that takes long
LONGEST_NAME, MOST_GUESSES = 100, 500
ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV"}


def normal(written: str) -> str:
    """Return words without case and punctuation, one blank between them."""
    return " ".join(re.findall(r"\w+", written.casefold()))


class Words:
    """The words of a sheet, read against the reference data: each is looked up once, however often it stands there."""

    def __init__(self, reference: Reference, organizations: Mapping[str, str] | None) -> None:
        """Read against reference data, and the organisations that the hub may act for: normalised name -> id."""
        self._reference, self.organizations = reference, organizations
        self._commodities = {
            normal(name): facts.code
            for facts in reference.commodities.values()
            for name in (facts.name_en, facts.name, facts.code)
        }
        self._regions = {normal(facts.name): facts.code for facts in reference.regions.values()}
        #: Kota Depok is Depok to those who live there
        self._bare_regions = {name: normal(_NOISE.sub(" ", name)) for name in self._regions}
        self._guesses = MOST_GUESSES
        self.commodity = cache(self._commodity)
        self.grade = cache(self._grade)
        self.unit = cache(self._unit)
        self.region = cache(self._region)

    def facts(self, commodity: str) -> CommodityFacts:
        """Return what is known of a commodity."""
        return self._reference.commodities[commodity]

    def _commodity(self, written: str) -> str:
        """Return the commodity that a code, or an Indonesian or English name, stands for."""
        unknown = Text("Komoditas tidak dikenal.", "There is no such commodity.")
        return self._named(written, self._commodities, unknown, "unknown_commodity")

    def _grade(self, written: str, commodity: str) -> str:
        """Return the grade of a commodity: as coded, in any case, or as a number where grades are Roman."""
        facts = self.facts(commodity)
        names = {normal(code): code for code in facts.grades}
        plain = _NOISE.sub(" ", written.casefold())
        roman = ROMAN.get(normal(plain), "")
        for name in (normal(written), normal(plain), normal(roman)):
            if name in names:
                return names[name]
        told = Text(f"Tidak ada pada {facts.name}.", f"{facts.name_en} has no such grade.")
        raise _choose(told, facts.grades, "unknown_grade")

    def _unit(self, written: str, commodity: str, own_weight: Decimal | None) -> tuple[str, Decimal | None]:
        """Return the unit of a commodity, and the own weight of its package where one is said.

        1. The unit as coded, or by its other names: kw is kuintal, sak is karung, krat is peti.
        2. A package with a number is the package of that weight; where the catalogue has none, any of that own weight.
        3. A package without a number is the only one there is, or any where `own_weight` is stated beside it.
        """
        facts = self.facts(commodity)
        if written.casefold() in facts.units:
            return written.casefold(), own_weight
        parts = _UNIT.fullmatch(written.casefold().strip())
        word = normal(parts["word"]) if parts else ""
        kind = UNIT_WORDS.get(word, word)
        weight = Decimal(parts["weight"].replace(",", ".")) if parts and parts["weight"] else own_weight
        if kind in facts.units:
            return kind, weight
        packages = [code for code in facts.units if code.partition("-")[0] == kind]
        exact = [code for code in packages if facts.units[code].base_quantity == weight]
        if exact:
            return exact[0], None
        if packages and (weight is not None or len(packages) == 1):
            return packages[0], weight
        shown = written[:40]
        told = Text(f"Satuan {shown} tidak jelas untuk {facts.name}.", f"{facts.name_en} has no clear unit {shown}.")
        raise _choose(told, packages or facts.units, "unknown_unit")

    def _region(self, written: str) -> str:
        """Return the code of a region: 35.05, Kabupaten Blitar, Kab. Blitar, or Depok where one is called so."""
        if written in self._reference.regions:
            return written
        called = [name for name, bare in self._bare_regions.items() if bare == normal(written)]
        if len(called) == 1:
            return self._regions[called[0]]
        whole = re.sub(r"\bkab\b\.?", "kabupaten", written.casefold())
        unknown = Text("Wilayah tidak dikenal.", "There is no such region.")
        return self._named(whole, self._regions, unknown, "unknown_region", other_names=self._bare_regions.values())

    def organization(self, written: str) -> str:
        """Return the id of an organisation of the hub by its id or name."""
        names = self.organizations or {}
        if written.casefold() in names.values():
            return written.casefold()
        unknown = Text("Tidak ada pihak bernama ini di hub.", "Nobody of this name is registered at the hub.")
        return self._named(written, names, unknown, "unknown_organization")

    def _named(
        self, written: str, names: Mapping[str, str], unknown: Text, code: str, other_names: Iterable[str] = ()
    ) -> str:
        """Return what a name stands for: the name itself, else the only one that begins so. Suggests close ones."""
        wanted = normal(written[:LONGEST_NAME])
        if wanted in names:
            return names[wanted]
        begun = {names[name] for name in names if name.startswith(f"{wanted} ")}
        if len(begun) == 1:
            return begun.pop()
        raise CellRefused(code, unknown, self._suggestion(wanted, {*names, *other_names}))

    def _suggestion(self, wanted: str, names: Collection[str]) -> Text | None:
        words = set(wanted.split())
        close = [
            name
            for name in sorted(names)
            if words and (name.startswith(wanted) or words >= set(name.split()) or words <= set(name.split()))
        ]
        if not close and self._guesses:
            self._guesses -= 1
            close = get_close_matches(wanted, sorted(names), 3, 0.7)
        listed = ", ".join(close[:5])
        return Text(f"Maksudnya {listed}?", f"Did you mean {listed}?") if close else None


def delivery(written: str) -> str:
    """Return franco or loco: delivered, or fetched at the hub."""
    said = {"diantar": "franco", "kirim": "franco", "dikirim": "franco", "ambil": "loco", "diambil": "loco"}
    word = normal(written).partition(" ")[0]
    if word in ("franco", "loco"):
        return word
    if word in said:
        return said[word]
    told = Text("Cara terima tidak dikenal.", "There is no such delivery.")
    raise _choose(told, ("franco", "loco"), "unknown_delivery")


def _choose(told: Text, choices: Iterable[str], code: str) -> CellRefused:
    listed = ", ".join(choices)
    return CellRefused(code, told, Text(f"Pilih: {listed}.", f"Choose: {listed}."))
