"""How long a text may be that somebody looks for: the one bound of all searches by words.

The query language of findings has its own, `findings.query.parse`.
"""

from __future__ import annotations

MAX_CHARACTERS = 1_000
MAX_TERMS = 50  # each looks through every row; SQLite also nests them, to a depth of 1,000
MAX_TYPED = 200  # of what is completed while somebody types


class SearchTooLong(ValueError):
    """A sentence that says what the bound is, and what was sent."""


def check_length(text: str, *, terms: int | None = None) -> None:
    """Raise SearchTooLong for a text beyond the bounds; `terms` are its words, if not given."""
    if len(text) > MAX_CHARACTERS:
        sentence = f"A search has at most {MAX_CHARACTERS:,} characters, this has {len(text):,}."
        raise SearchTooLong(sentence)
    terms = len(text.split()) if terms is None else terms
    if terms > MAX_TERMS:
        raise SearchTooLong(f"A search has at most {MAX_TERMS} words and terms, this has {terms}.")


def typed(text: str) -> str:
    """What is completed of a text that somebody types: its beginning, without NUL."""
    return text[:MAX_TYPED].strip().replace("\0", "")
