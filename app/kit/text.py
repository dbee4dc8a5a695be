"""Sentences in the two languages of the house, Indonesian first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages."""

    id: str
    en: str

    def read(self, language: str) -> str:
        """Return the sentence in "en" or, for anything else, in Indonesian."""
        return self.en if language == "en" else self.id


def preferred_language(accept_language: str | None) -> str:
    """Return "id" or "en" for an Accept-Language header (RFC 9110 12.5.4); Indonesian when it names neither."""
    best, best_quality = "id", 0.0
    for part in (accept_language or "").split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        _, _, quality_text = parameter.strip().partition("=")
        try:
            quality = float(quality_text) if quality_text else 1.0
        except ValueError:
            continue
        if language in ("id", "en") and quality > best_quality:
            best, best_quality = language, quality
    return best
