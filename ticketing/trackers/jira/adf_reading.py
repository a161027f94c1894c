"""The Atlassian Document Format → Markdown, as far as both can say the same.

Pure. Documents come from outside: nothing about their shape is taken for granted, and what is
not known counts as what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ticketing.trackers.jira import prose

_DEPTH = 60  # of nodes in nodes; what is deeper is left out

Node = Mapping[str, Any]


def from_document(document: Any) -> str:
    """Markdown; a text instead of a document is taken as plain text."""
    if isinstance(document, str):
        return "  \n".join(_escape(line) for line in prose.clean(document).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", _blocks(document, _DEPTH)).strip("\n")


def _children(node: Any) -> list[Node]:
    content = node.get("content") if isinstance(node, Mapping) else None
    return [child for child in content if _type(child)] if isinstance(content, list) else []


def _type(node: Any) -> str:
    kind = node.get("type") if isinstance(node, Mapping) else None
    return kind if isinstance(kind, str) else ""


def _attr(node: Node, name: str) -> str:
    attrs = node.get("attrs")
    value = attrs.get(name) if isinstance(attrs, Mapping) else None
    return prose.clean(str(value)) if isinstance(value, str | int) else ""


# --- Blocks -----------------------------------------------------------------------------


def _blocks(node: Any, depth: int) -> str:
    if depth <= 0:
        return ""
    return "\n\n".join(text for child in _grouped(node) if (text := _block(child, depth - 1)))


def _grouped(node: Any) -> Iterator[Node]:
    """The children, with inline ones that stand among blocks put into a paragraph."""
    loose: list[Node] = []
    for child in _children(node):
        if _type(child) == "text" or _type(child) in _INLINE:
            loose.append(child)
            continue
        if loose:
            yield {"type": "paragraph", "content": loose}
            loose = []
        yield child
    if loose:
        yield {"type": "paragraph", "content": loose}


def _block(node: Node, depth: int) -> str:
    write: Callable[[Node, int], str] = _WRITERS.get(_type(node), _blocks)
    return write(node, depth)


def _paragraph(node: Node, _depth: int) -> str:
    return _start(_inline(node))


def _heading(node: Node, _depth: int) -> str:
    level = min(max(int(_number(_attr(node, "level"))), 1), 6)
    return f"{'#' * level} {_inline(node).replace(chr(10), ' ')}"


def _quote(node: Node, depth: int) -> str:
    return _indented(_blocks(node, depth), "> ", "> ")


def _expand(node: Node, depth: int) -> str:
    title = _escape(_attr(node, "title"))
    return "\n\n".join(filter(None, (title and f"**{title}**", _blocks(node, depth))))


def _code(node: Node, _depth: int) -> str:
    code = "".join(prose.clean(str(child.get("text", ""))) for child in _children(node))
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code)), 3)
    language = _attr(node, "language")
    language = language if re.fullmatch(r"[\w+#-]+", language) else ""
    return f"{fence}{language}\n{code}\n{fence}"


_BOXES = {"TODO": "☐ ", "DONE": "☑ "}


def _list(node: Node, depth: int) -> str:
    bullet = "1. " if _type(node) == "orderedList" else "- "
    items = (
        _BOXES.get(_attr(item, "state"), "") + _blocks(item, depth - 1) for item in _children(node)
    )
    return "\n".join(_indented(item, bullet, " " * len(bullet)) for item in items)


def _indented(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        (first if n == 0 else rest if line else rest.rstrip()) + line
        for n, line in enumerate(lines)
    )


def _table(node: Node, _depth: int) -> str:
    rows = [[_flat(cell) for cell in _children(row)] for row in _children(node)]
    width = max(map(len, rows), default=0)
    if not width:
        return ""
    first = _children(_children(node)[0])
    if not all(_type(cell) == "tableHeader" for cell in first):
        rows.insert(0, [])
    rows.insert(1, ["---"] * width)
    return "\n".join(f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows)


def _flat(node: Node) -> str:
    """A cell on one line."""
    return " ".join(_blocks(node, 8).replace("\n", " ").split())


def _start(markdown: str) -> str:
    """A line that begins like a block of Markdown is text all the same."""
    return re.sub(r"^(?=[#>+=~-])|^(\d{1,9})(?=[.)])", r"\1\\", markdown, flags=re.MULTILINE)


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"-?\d{1,15}", text) else 1


_WRITERS: dict[str, Callable[[Node, int], str]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "codeBlock": _code,
    "rule": lambda _node, _depth: "---",
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _list,
    "decisionList": _list,
    "blockquote": _quote,
    "panel": _quote,
    "table": _table,
    "expand": _expand,
    "nestedExpand": _expand,
}


# --- Inline -----------------------------------------------------------------------------

_SPECIAL = re.compile(r"[\\`*\[\]<>|&]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|(?<=~)~")
_WRAPS = {"strong": "**", "em": "*", "strike": "~~"}


class _Piece(NamedTuple):
    written: str
    signs: frozenset[str] = frozenset()  # that go around it


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _inline(node: Node) -> str:
    """Text with its marks. A sign stands next to what it marks, never next to a space."""
    pieces = [piece for child in _children(node) if (piece := _piece(child)).written]
    out = ""
    signs: list[str] = []  # those open, outermost first
    for index, piece in enumerate(pieces):
        text = piece.written.lstrip()
        wanted = piece.signs if text else frozenset(signs)
        stays = next((at for at, sign in enumerate(signs) if sign not in wanted), len(signs))
        out = _closed(out, signs[stays:])
        signs = signs[:stays]
        new = sorted(wanted - set(signs), key=lambda sign, at=index: -_reach(pieces, at, sign))  # type: ignore[misc]
        out += piece.written[: len(piece.written) - len(text)] + "".join(new) + text
        signs += new
    return _closed(out, signs).strip()


def _closed(out: str, signs: Sequence[str]) -> str:
    text = out.rstrip() if signs else out
    return text + "".join(reversed(signs)) + out[len(text) :]


def _reach(pieces: Sequence[_Piece], index: int, sign: str) -> int:
    """How far a sign goes from this piece on: what goes furthest opens first."""
    later = range(index, len(pieces))
    return next((at for at in later if sign not in pieces[at].signs), len(pieces))


def _piece(node: Node) -> _Piece:
    kind = _type(node)
    if kind == "text":
        return _marked(node)
    return _Piece(_INLINE[kind](node) if kind in _INLINE else _inline(node))


def _marked(node: Node) -> _Piece:
    text = prose.clean(str(node.get("text", "")))
    marks = node.get("marks")
    kinds = {_type(mark): mark for mark in marks if _type(mark)} if isinstance(marks, list) else {}
    is_code = "code" in kinds
    written = _code_span(text) if is_code else _escape(text).replace("\n", "  \n")
    href = _attr(kinds["link"], "href") if "link" in kinds else ""
    signs = (sign for mark, sign in _WRAPS.items() if mark in kinds and not is_code)
    return _Piece(_linked(written, text, href), frozenset(signs))


def _code_span(text: str) -> str:
    text = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}" if text else ""


def _linked(written: str, text: str, href: str) -> str:
    if not prose.is_link(href) or re.search(r"[\s<>]", href):
        return written
    return f"<{href}>" if text == href else f"[{written}](<{href}>)"


def _card(node: Node) -> str:
    url = _attr(node, "url")
    return _linked(_escape(url), url, url)


def _mention(node: Node) -> str:
    return _escape("@" + (_attr(node, "text").lstrip("@") or _attr(node, "id")))


def _date(node: Node) -> str:
    seconds = _number(_attr(node, "timestamp")) / 1000
    return datetime.fromtimestamp(min(max(seconds, 0), 253_402_300_799), UTC).date().isoformat()


_INLINE: dict[str, Callable[[Node], str]] = {
    "hardBreak": lambda _: "  \n",
    "mention": _mention,
    "emoji": lambda node: _escape(_attr(node, "text") or _attr(node, "shortName")),
    "inlineCard": _card,
    "status": lambda node: _escape(_attr(node, "text")),
    "date": _date,
}
