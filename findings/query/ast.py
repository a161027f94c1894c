"""A parsed query: frozen values, compared by content, with no idea of where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from ipaddress import IPv4Network, IPv6Network


class Root(StrEnum):
    TAG = "tag"  # key:value among the tags
    ATTRIBUTE = "attribute"  # @dotted.path in the document
    TEXT = "text"  # a word or phrase in title, description, resource name


@dataclass(frozen=True, slots=True)
class Field:
    root: Root
    name: str = ""  # the tag's key or the dotted path; empty for free text


class AnyPiece(Enum):  # no StrEnum: a literal `*` must not equal RUN
    RUN = "*"
    CHAR = "?"


Piece = str | AnyPiece


@dataclass(frozen=True, slots=True)
class Exact:
    """Equal to this text. Of a field with a closed list of names it is lower case."""

    value: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` any run, `?` one character. Pieces are literals, `ANY_RUN` or `ANY_CHAR`."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Free text, and only there: holds these pieces as whole words, A-Z in any case.

    Literals are lower case; here a wildcard stands for letters and digits of one word.
    """

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is present with any value."""


Bound = Decimal | datetime


@dataclass(frozen=True, slots=True)
class Range:
    """Between two bounds; None is open. `>=7` is Range(7, None)."""

    low: Bound | None
    high: Bound | None
    includes_low: bool = True
    includes_high: bool = True


@dataclass(frozen=True, slots=True)
class Cidr:
    """An address inside any of these networks."""

    networks: tuple[IPv4Network | IPv6Network, ...]


Matcher = Exact | Wildcard | Words | Exists | Range | Cidr


@dataclass(frozen=True, slots=True)
class Term:
    field: Field
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class Not:
    node: Node


@dataclass(frozen=True, slots=True)
class And:
    nodes: tuple[Node, ...]  # empty: everything matches


@dataclass(frozen=True, slots=True)
class Or:
    nodes: tuple[Node, ...]


Node = Term | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """What was written and what it means. Two queries with one `root` mean the same."""

    text: str
    root: Node


class QueryError(ValueError):
    """The text is no query: what is wrong, and at which character (counted from 0)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
