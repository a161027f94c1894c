"""Wildcards as regular expressions that cannot backtrack into one another.

A run followed by a fixed part is an atomic group, `(?>.*?part)`: the leftmost place of
each part is as good as any later one, so matching takes one pass, whatever the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from findings.query.ast import AnyPiece, Piece
from findings.query.scalars import WORD_CHARACTER, is_word_character


def whole(pieces: Sequence[Piece]) -> re.Pattern[str]:
    """Matches (by `fullmatch`) a text that is the pieces from its start to its end."""
    first, *rest = parts(pieces, any_character=".")
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    searches = "".join(f"(?>.*?{part})" for part in middle)
    return re.compile(f"{first}{searches}.*{last}", re.DOTALL)


def within(pieces: Sequence[Piece]) -> re.Pattern[str]:
    """Matches (by `search`) a text that holds the pieces as whole words."""
    first, *rest = parts(pieces, any_character=WORD_CHARACTER)
    opening, closing = edges(pieces)
    if rest:
        rest[-1] += closing
    else:
        first += closing
    searches = "".join(f"(?>{WORD_CHARACTER}*?{part})" for part in rest)
    return re.compile(f"{opening}{first}{searches}")


def parts(pieces: Sequence[Piece], *, any_character: str) -> list[str]:
    """The fixed parts between runs, as regular expressions; often empty at either end."""
    found = [""]
    for piece in pieces:
        if piece is AnyPiece.RUN:
            found.append("")
        elif piece is AnyPiece.CHAR:
            found[-1] += any_character
        else:
            found[-1] += re.escape(piece)
    return found


def edges(pieces: Sequence[Piece]) -> tuple[str, str]:
    """What must stand before and after the pieces so that they are whole words."""
    first, last = pieces[0], pieces[-1]
    starts_word = isinstance(first, AnyPiece) or is_word_character(first[0])
    ends_word = isinstance(last, AnyPiece) or is_word_character(last[-1])
    return (
        f"(?<!{WORD_CHARACTER})" if starts_word else "",
        f"(?!{WORD_CHARACTER})" if ends_word else "",
    )
