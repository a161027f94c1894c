"""Markdown → a small tree that Jira's two markups are written from.

Pure. Raw HTML is text, images are links, only http, https and mailto are links. Blocks nest at
most as deep as the grammar allows (20); inline marks are a set on each run, so they cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar

from markdown_it import MarkdownIt
from markdown_it.token import Token

_GRAMMAR = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_LINK = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_IN_ADDRESS = r"[^\s<>\"\\^`{|}\[\]()]"
_ADDRESS = re.compile(rf"https?://(?:\({_IN_ADDRESS}*\)|{_IN_ADDRESS})+(?<![.,;:!?'*_])")
# What neither Jira stores: controls, halves of characters, and the noncharacters that Jira's
# renderer uses to mark what it has rendered already.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

SHORTENED = "… shortened, see the finding"
_TAIL = 3  # blocks at the end that stay when a text is cut: our facts, link and origin

T = TypeVar("T")


class Mark(StrEnum):
    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"


class Run(NamedTuple):
    """Text that looks the same from end to end. A line break is the text "\\n"."""

    text: str
    marks: frozenset[Mark] = frozenset()
    is_code: bool = False
    href: str = ""


class Kind(StrEnum):
    PARAGRAPH = "paragraph"
    HEADING = "heading"
    CODE = "code"
    QUOTE = "quote"
    BULLETS = "bullets"
    NUMBERS = "numbers"
    ITEM = "item"
    RULE = "rule"
    TABLE = "table"
    ROW = "row"
    HEADER_CELL = "header_cell"
    CELL = "cell"


class Block(NamedTuple):
    kind: Kind
    children: tuple[Block, ...] = ()
    runs: tuple[Run, ...] = ()  # of a paragraph, a heading or a cell
    level: int = 0  # of a heading
    start: int = 1  # the first number of a numbered list
    code: str = ""  # of a code block
    language: str = ""


def parse(markdown: str) -> list[Block]:
    """The blocks of a text; never raises."""
    tokens = _GRAMMAR.parse(clean(markdown))
    return list(_blocks(iter(tokens)))


def parse_bounded(markdown: str, limit: int) -> tuple[list[Block], list[Block]]:
    """The blocks of a text of which about `limit` characters can be shown: head and tail.

    Only what may be shown is parsed. The tail is what follows the last gap that leaves room
    for a head; it is empty unless the text was too long to parse whole.
    """
    if len(markdown) <= 2 * limit:
        return parse(markdown), []
    head, rest = markdown[:limit], markdown[-(limit // 2) :]
    _, gap, tail = rest.partition("\n\n")
    return parse(head), parse(tail) if gap else []


def clean(text: str) -> str:
    """`text` without the characters that Jira refuses or gives a meaning of its own."""
    return _UNWANTED.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_link(url: str) -> bool:
    return _LINK.match(url) is not None


def plain_text(block: Block) -> str:
    """Everything a block says, without its form."""
    if block.kind is Kind.CODE:
        return block.code
    own = "".join(run.text for run in block.runs)
    return "\n".join(part for part in (own, *map(plain_text, block.children)) if part)


def plain_runs(text: str) -> list[Run]:
    """Text without marks, line for line. Addresses become links to what they say."""
    runs: list[Run] = []
    for index, line in enumerate(text.split("\n")):
        if index:
            runs.append(Run("\n"))
        runs += _linked(Run(line))
    return [run for run in runs if run.text]


def bold(runs: Sequence[Run]) -> tuple[Run, ...]:
    """A heading where no heading may stand."""
    return tuple(run._replace(marks=run.marks | {Mark.BOLD}) for run in runs)


# --- Cutting ----------------------------------------------------------------------------


def cut(
    parts: list[T], room: int, *, notice: T, cost: Callable[[T], int], begin: Callable[[T, int], T]
) -> list[T]:
    """As many parts from the start as fit into `room`, the notice, and the last parts.

    `begin` makes of a part that is too long on its own what fits. The notice always stays.
    """
    end = [notice]
    while len(end) <= _TAIL and len(parts) > 1:
        if sum(map(cost, end)) + cost(parts[-1]) > room // 2:
            break
        end.insert(1, parts[-1])
        parts = parts[:-1]
    room -= sum(map(cost, end))
    kept = list[T]()
    for part in parts:
        if cost(part) > room:
            kept += [] if kept or room <= 0 else [begin(part, room)]
            break
        kept.append(part)
        room -= cost(part)
    return [*kept, *end]


def longest(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of `text` that fits."""
    if fits(text):
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
    return text[:low]


# --- Blocks -----------------------------------------------------------------------------

_CONTAINERS = {
    "blockquote_open": Kind.QUOTE,
    "bullet_list_open": Kind.BULLETS,
    "ordered_list_open": Kind.NUMBERS,
    "list_item_open": Kind.ITEM,
    "table_open": Kind.TABLE,
    "tr_open": Kind.ROW,
}
_TEXTS = {
    "paragraph_open": Kind.PARAGRAPH,
    "heading_open": Kind.HEADING,
    "th_open": Kind.HEADER_CELL,
    "td_open": Kind.CELL,
}


def _blocks(tokens: Iterator[Token]) -> Iterator[Block]:
    """The blocks up to the end of the container that the iterator stands in."""
    for token in tokens:
        if token.type in ("thead_open", "thead_close", "tbody_open", "tbody_close"):
            continue
        if token.nesting < 0:
            return
        if kind := _CONTAINERS.get(token.type):
            start = token.attrs.get("start", 1)
            yield Block(kind, children=tuple(_blocks(tokens)), start=int(start))
        elif kind := _TEXTS.get(token.type):
            inline = next(tokens)
            next(tokens)  # what closes it
            level = int(token.tag[1]) if kind is Kind.HEADING else 0
            yield Block(kind, runs=tuple(_runs(inline.children or ())), level=level)
        elif token.type in ("fence", "code_block"):
            language = (token.info.split() or [""])[0]
            yield Block(Kind.CODE, code=token.content.removesuffix("\n"), language=language)
        elif token.type == "hr":
            yield Block(Kind.RULE)


# --- Inline -----------------------------------------------------------------------------

_MARKS = {"strong": Mark.BOLD, "em": Mark.ITALIC, "s": Mark.STRIKE}


def _runs(tokens: Sequence[Token]) -> list[Run]:
    """Runs with their marks; neighbours that look the same become one."""
    runs: list[Run] = []
    depth = dict.fromkeys(Mark, 0)
    href = ""
    for token in tokens:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name in _MARKS:
            depth[_MARKS[name]] += token.nesting
        elif name == "link":
            href = str(token.attrs.get("href", "")) if token.nesting > 0 else ""
            href = href if is_link(href) else ""
        else:
            marks = frozenset(mark for mark, count in depth.items() if count > 0)
            _append(runs, _run(token, marks, href))
    return [part for run in runs for part in _linked(run)]


def _run(token: Token, marks: frozenset[Mark], href: str) -> Run:
    match token.type:
        case "softbreak":
            return Run(" ", marks, href=href)
        case "hardbreak":
            return Run("\n", marks, href=href)
        case "code_inline":
            return Run(token.content, marks, is_code=True, href=href)
        case "image":
            source = str(token.attrs.get("src", ""))
            text = "".join(child.content for child in token.children or ()) or source
            return Run(text, marks, href=href or (source if is_link(source) else ""))
        case _:
            return Run(token.content, marks, href=href)


def _linked(run: Run) -> Iterator[Run]:
    """The run with every address in it as a link."""
    at = 0
    for address in () if run.is_code or run.href else _ADDRESS.finditer(run.text):
        if address.start() > at:
            yield run._replace(text=run.text[at : address.start()])
        yield run._replace(text=address[0], href=address[0])
        at = address.end()
    if at < len(run.text):
        yield run._replace(text=run.text[at:])


def _append(runs: list[Run], run: Run) -> None:
    if not run.text:
        return
    if runs and runs[-1][1:] == run[1:] and "\n" not in (runs[-1].text, run.text):
        runs[-1] = run._replace(text=runs[-1].text + run.text)
    else:
        runs.append(run)
