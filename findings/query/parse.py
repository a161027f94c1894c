"""Text → query. One pass, no backtracking; every error says where and in a sentence.

The grammar, with `field` fixed inside a group of values:

    query   = either?                     either = both (OR both)*
    both    = unary (AND? unary)*         unary  = (- | NOT) unary | "(" either ")" | term
    term    = phrase | word | CIDR(@path, network, …) | key:operand | @path:operand
    operand = "(" either of values ")" | value
    value   = phrase | word | [low TO high] | >=number
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from findings.facts import NOT_IN_RULES
from findings.query import matchers
from findings.query.ast import (
    And,
    AnyPiece,
    Field,
    Matcher,
    Node,
    Not,
    Or,
    Piece,
    Query,
    QueryError,
    Root,
    Term,
)
from findings.query.cost import MAX_COST, cost_of

MAX_CHARACTERS = 30_000
MAX_TERMS = 1_000
MAX_DEPTH = 50
MAX_STEPS = 50  # of a dotted path

ESCAPABLE = frozenset('+-=&|><!(){}[]^"~*?:\\#')  # and white space
_TOO_COSTLY = "This search would take too long. It looks for too much from"
_CHEAPER = "use fewer words and wildcards, or `key:value` terms instead"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_CHANGES_LATER: Mapping[str, str] = {
    root: f"A rule may not use `@{root}`: it changes after the rule has decided"
    for root in NOT_IN_RULES
}
_STOPS = frozenset('()"')  # end a word, as white space does
_WILDCARDS = {piece.value: piece for piece in AnyPiece}


def parse(text: str) -> Query:
    """Read a query. Raises `QueryError`."""
    _refuse_long(text)
    return Query(text, _combine(_Parser(text, budget=MAX_COST).read()))


def parse_rule_query(
    text: str, *, budget: int | None = None, refused: Mapping[str, str] = _NOTHING
) -> Query:
    """Read a rule's query: like `parse`, but without what changes after the decision.

    A stored one may cost anything: it was saved when there was no budget. A new one may not.
    `refused` are more paths that it may not use, nor what is beneath them, each with the reason.
    """
    _refuse_long(text)
    parser = _Parser(text, refused={**_CHANGES_LATER, **refused}, budget=budget)
    return Query(text, _combine(parser.read()))


def parse_term(text: str) -> Node:
    """Read what `canonical.write` made of one term, which has no limit of length."""
    return _combine(_Parser(text).read())


class Part(NamedTuple):
    """One operand of AND, and where it stands in the text."""

    node: Node
    start: int
    end: int


def parts(text: str) -> tuple[Part, ...]:
    """The operands of the AND at the top of the query; none when the top is an OR."""
    _refuse_long(text)
    alternatives = _Parser(text).read()
    return tuple(alternatives[0]) if len(alternatives) == 1 else ()


def _refuse_long(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise QueryError(
            f"A query has at most {MAX_CHARACTERS:,} characters, this has {len(text):,}",
            MAX_CHARACTERS,
        )


def _combine(alternatives: Sequence[Sequence[Part]]) -> Node:
    nodes = [
        both[0].node if len(both) == 1 else And(tuple(part.node for part in both))
        for both in alternatives
    ]
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


class _Parser:
    def __init__(
        self,
        text: str,
        refused: Mapping[str, str] = _NOTHING,
        *,
        budget: int | None = None,
    ) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.terms = 0
        self.refused = refused
        self.budget = budget
        # What is wrong when no operand follows, and where; set by what asks for one.
        self.unmet: tuple[str, int] | None = None

    def read(self) -> list[list[Part]]:
        self._refuse_unreadable()
        if not self._peek():
            return [[]]
        alternatives = self._either(self._term)
        if self._peek():
            raise QueryError(f"`)` at column {self.at + 1} closes nothing", self.at)
        return alternatives

    def _refuse_unreadable(self) -> None:
        for position, character in enumerate(self.text):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise QueryError(
                    f"The character at column {position + 1} cannot stand in a text", position
                )

    # --- Operators ------------------------------------------------------------------------

    def _either(self, operand: Callable[[], Node]) -> list[list[Part]]:
        alternatives = [self._both(operand)]
        while self._operator("OR"):
            alternatives.append(self._both(operand))
        return alternatives

    def _both(self, operand: Callable[[], Node]) -> list[Part]:
        found = [self._part(operand)]
        while self._peek() not in ("", ")") and not self._at_word("OR"):
            self._operator("AND")
            found.append(self._part(operand))
        return found

    def _part(self, operand: Callable[[], Node]) -> Part:
        self._peek()
        start = self.at
        node = self._unary(operand)
        return Part(node, start, self.at)

    def _unary(self, operand: Callable[[], Node]) -> Node:
        following, start = self._peek(), self.at
        if following in ("", ")") or self._at_word("AND") or self._at_word("OR"):
            raise self._nothing_here()
        if following == "-":
            self.at += 1
            if not self._current() or self._current().isspace():
                raise QueryError(f"`-` at column {start + 1} is followed by nothing", start)
            self.unmet = (f"`-` at column {start + 1} is followed by nothing", start)
            with self._deeper(start):
                return Not(self._unary(operand))
        if self._operator("NOT"):
            with self._deeper(start):
                return Not(self._unary(operand))
        if following == "(":
            return self._group(operand)
        return operand()

    def _group(self, operand: Callable[[], Node]) -> Node:
        opened = self.at
        self.at += 1
        self.unmet = (f"`(` at column {opened + 1} holds nothing", opened)
        with self._deeper(opened):
            if not self._peek():
                raise self._never_closed("(", opened)
            alternatives = self._either(operand)
            if not self._peek():
                raise self._never_closed("(", opened)
        self.at += 1
        return _combine(alternatives)

    def _operator(self, word: str) -> bool:
        self._peek()
        if not self._at_word(word):
            return False
        self.unmet = (f"`{word}` at column {self.at + 1} is followed by nothing", self.at)
        self.at += len(word)
        return True

    def _at_word(self, word: str) -> bool:
        if not self.text.startswith(word, self.at):
            return False
        after = self.text[self.at + len(word) : self.at + len(word) + 1]
        return not after or after.isspace() or after in _STOPS

    def _nothing_here(self) -> QueryError:
        for word in ("AND", "OR"):
            if self._at_word(word):
                return QueryError(f"`{word}` at column {self.at + 1} follows nothing", self.at)
        if self.unmet:
            return QueryError(*self.unmet)
        return QueryError(f"`)` at column {self.at + 1} closes nothing", self.at)

    @contextmanager
    def _deeper(self, position: int) -> Iterator[None]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError(f"A query nests at most {MAX_DEPTH} levels deep", position)
        yield
        self.depth -= 1

    # --- Terms ----------------------------------------------------------------------------

    def _term(self) -> Node:
        start = self.at
        if self._current() == '"':
            phrase = self._phrase()
            return self._of(Field(Root.TEXT), matchers.words((phrase,), start), start)
        if self.text.startswith("CIDR(", start):
            return self._cidr()
        for sign, instead in {"!": "-", "&&": "AND", "||": "OR"}.items():
            if self.text.startswith(sign, start):
                raise QueryError(f"`{sign}` at column {start + 1}: write `{instead}`", start)
        pieces = self._word(stops=":")
        if self._current() == ":":
            field = self._field(pieces, start)
            self.at += 1
            return self._operand(field)
        if self.text[start] == "@":
            raise QueryError(f"`@` at column {start + 1} begins a path: write `@path:value`", start)
        if pieces == (AnyPiece.RUN,):
            self._count(start)
            return And(())
        return self._of(Field(Root.TEXT), matchers.words(pieces, start), start)

    def _field(self, pieces: tuple[Piece, ...], start: int) -> Field:
        match pieces:
            case (str() as name,) if name.startswith("@"):
                return self._attribute(name.removeprefix("@"), start)
            case ("title",):  # the one word for which query.md shows no `@`
                return Field(Root.ATTRIBUTE, "title")
            case (str() as name,) if ":" not in name:
                return Field(Root.TAG, name)
            case ():
                raise QueryError(f"`:` at column {start + 1} has no key before it", start)
            case _:
                raise QueryError(
                    f"The key at column {start + 1} holds `*`, `?` or `:`, which no key may", start
                )

    def _attribute(self, path: str, start: int) -> Field:
        steps = path.split(".")
        if not all(steps):
            raise QueryError(f"The path at column {start + 1} has an empty step", start)
        if len(steps) > MAX_STEPS:
            raise QueryError(f"A path has at most {MAX_STEPS} steps", start)
        for number in range(1, len(steps) + 1):
            if reason := self.refused.get(".".join(steps[:number])):
                raise QueryError(reason, start)
        return Field(Root.ATTRIBUTE, path)

    def _operand(self, field: Field) -> Node:
        if self._current() == "(":
            return self._group(partial(self._value, field))
        if not self._current() or self._current().isspace() or self._current() == ")":
            raise QueryError(f"`:` at column {self.at} is followed by no value", self.at - 1)
        return self._value(field)

    def _value(self, field: Field) -> Node:
        start = self.at
        match self._current():
            case '"':
                matcher = matchers.exact(field, self._phrase(), start)
            case "[" | "{":
                matcher = self._range(field)
            case "<" | ">":
                self.at += 2 if self.text.startswith("=", start + 1) else 1
                sign = self.text[start : self.at]
                matcher = matchers.comparison(field, sign, self._plain(), start)
            case _:
                matcher = matchers.word(field, self._word(), start)
        return self._of(field, matcher, start)

    def _range(self, field: Field) -> Matcher:
        opened = self.at
        opening = self._current()
        end = min(
            (at for at in (self.text.find(c, opened) for c in "]}") if at >= 0),
            default=-1,
        )
        if end < 0:
            raise self._never_closed(opening, opened)
        self.at = end + 1
        words = self.text[opened + 1 : end].split()
        if len(words) != 3 or words[1] != "TO":
            raise QueryError(f"The range at column {opened + 1} is not like `[10 TO 20]`", opened)
        self._require_end(self.text[end])
        includes = (opening == "[", self.text[end] == "]")
        return matchers.between(field, (words[0], words[2]), includes, opened)

    def _cidr(self) -> Node:
        start = self.at
        opened = start + len("CIDR")
        end = self.text.find(")", opened)
        if end < 0:
            raise self._never_closed("(", opened)
        self.at = end + 1
        path, *networks = (word.strip() for word in self.text[opened + 1 : end].split(","))
        if not path.startswith("@") or not networks:
            raise QueryError(
                f"`CIDR` at column {start + 1} is not like `CIDR(@host.ip,10.0.0.0/8)`", start
            )
        field = self._attribute(path.removeprefix("@"), start)
        return self._of(field, matchers.cidr(field, networks, start), start)

    def _of(self, field: Field, matcher: Matcher, start: int) -> Term:
        self._count(start)
        if self.budget is not None:
            self.budget -= cost_of(field, matcher)
            if self.budget < 0:
                raise QueryError(f"{_TOO_COSTLY} column {start + 1} on: {_CHEAPER}", start)
        return Term(field, matcher)

    def _count(self, start: int) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QueryError(f"A query has at most {MAX_TERMS:,} terms", start)

    # --- Characters -----------------------------------------------------------------------

    def _current(self) -> str:
        return self.text[self.at : self.at + 1]

    def _peek(self) -> str:
        """The next character that is no white space, which is where we stand then."""
        while self._current().isspace():
            self.at += 1
        return self._current()

    def _word(self, stops: str = "") -> tuple[Piece, ...]:
        """Literals and wildcards up to white space, a parenthesis, or one of `stops`."""
        pieces: list[Piece] = []
        literal: list[str] = []
        while (character := self._current()) and not character.isspace():
            if character in stops or character in _STOPS:
                break
            if wildcard := _WILDCARDS.get(character):
                if literal:
                    pieces.append("".join(literal))
                    literal.clear()
                if wildcard is not AnyPiece.RUN or pieces[-1:] != [AnyPiece.RUN]:
                    pieces.append(wildcard)
            else:
                literal.append(self._unescape() if character == "\\" else character)
            self.at += 1
        if literal:
            pieces.append("".join(literal))
        if self._current() in ("(", '"'):
            raise QueryError(
                f"`{self._current()}` at column {self.at + 1} needs a space or `\\` before it",
                self.at,
            )
        return tuple(pieces)

    def _plain(self) -> str:
        start = self.at
        while self._current() not in ("", ")") and not self._current().isspace():
            self.at += 1
        return self.text[start : self.at]

    def _phrase(self) -> str:
        opened = self.at
        found: list[str] = []
        self.at += 1
        while (character := self._current()) != '"':
            if not character:
                raise self._never_closed('"', opened)
            found.append(self._unescape() if character == "\\" else character)
            self.at += 1
        self.at += 1
        self._require_end('"')
        return "".join(found)

    def _unescape(self) -> str:
        """The character that a backslash escapes, which is where we stand then."""
        self.at += 1
        character = self._current()
        if character in ESCAPABLE or character.isspace():
            return character
        raise QueryError(
            f"`\\` at column {self.at} escapes nothing: write `\\\\` for a backslash", self.at - 1
        )

    def _require_end(self, closing: str) -> None:
        if self._current() not in ("", ")") and not self._current().isspace():
            raise QueryError(f"A space is missing after `{closing}` at column {self.at}", self.at)

    def _never_closed(self, opening: str, position: int) -> QueryError:
        return QueryError(f"`{opening}` opened at column {position + 1} is never closed", position)
