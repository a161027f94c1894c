"""Markdown → the Atlassian Document Format, version 1: what REST v3 wants as long text.

Pure. Text in a document is inert, so nothing has to be escaped; what has to be kept are the
rules about what may stand in what. Where Markdown allows more, the text stays and its form
goes: a heading in a list is bold, a quotation in a quotation is part of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ticketing.trackers.jira import prose
from ticketing.trackers.jira.adf_reading import from_document
from ticketing.trackers.jira.prose import Block, Kind, Mark, Run

__all__ = ["LIMIT", "from_document", "length", "to_document", "to_plain_document"]

LIMIT = 32_767

Node = dict[str, Any]


def to_document(markdown: str, limit: int = LIMIT) -> Node:
    """A document whose JSON has at most `limit` characters; a longer text is cut."""
    head, tail = prose.parse_bounded(markdown, limit)
    nodes = list(_nodes((*head, *tail)))
    if not tail and length(_document(nodes)) <= limit:
        return _document(nodes)
    room = limit - length(_document([])) + 1
    cut = prose.cut(nodes, room, notice=_NOTICE, cost=_cost, begin=_begin)
    document = _document(cut)
    return document if length(document) <= limit else _document([])


def to_plain_document(text: str, limit: int = LIMIT) -> Node:
    """A document that shows `text` as it is, line for line."""
    text = prose.clean(text)
    return _document(
        [_lines(prose.longest(text, lambda part: length(_document([_lines(part)])) <= limit))]
    )


def length(node: Node) -> int:
    """The length as Jira counts it: of the JSON, in UTF-16 units."""
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-16-le")) // 2


def _document(content: Sequence[Node]) -> Node:
    return {"type": "doc", "version": 1, "content": list(content)}


def _node(kind: str, content: Iterable[Node], **attrs: Any) -> Node:
    return {"type": kind, **({"attrs": attrs} if attrs else {}), "content": list(content)}


def _text(text: str, *marks: Node) -> Node:
    return {"type": "text", "text": text, **({"marks": list(marks)} if marks else {})}


def _lines(text: str) -> Node:
    return _node("paragraph", _inline(prose.plain_runs(text)))


# --- Cutting ----------------------------------------------------------------------------

_NOTICE = _node("paragraph", [_text(prose.SHORTENED)])


def _cost(node: Node) -> int:
    return length(node) + 1  # and the comma


def _begin(node: Node, room: int) -> Node:
    """What fits of a block that is too long on its own, without its form."""
    return _lines(prose.longest(_said(node), lambda text: not text or _cost(_lines(text)) <= room))


def _said(node: Node) -> str:
    if node["type"] == "hardBreak":
        return "\n"
    inner = (_said(child) for child in node.get("content", ()))
    separator = "" if node["type"] in ("paragraph", "heading", "codeBlock") else "\n"
    return str(node.get("text", "")) or separator.join(inner)


# --- Blocks -----------------------------------------------------------------------------

_MARKS = {Mark.BOLD: "strong", Mark.ITALIC: "em", Mark.STRIKE: "strike"}


def _nodes(blocks: Iterable[Block]) -> Iterator[Node]:
    """Blocks where every kind may stand: at the top."""
    for block in blocks:
        match block.kind:
            case Kind.HEADING:
                if content := _inline(block.runs, is_one_line=True):
                    yield _node("heading", content, level=block.level)
            case Kind.RULE:
                yield {"type": "rule"}
            case Kind.QUOTE:
                if content := list(_inner(block.children)):
                    yield _node("blockquote", content)
            case Kind.TABLE:
                yield _node("table", map(_row, block.children))
            case _:
                yield from _inner([block])


def _inner(blocks: Iterable[Block]) -> Iterator[Node]:
    """Blocks inside a list or a quotation: paragraphs, lists and code."""
    for block in blocks:
        match block.kind:
            case Kind.CODE:
                yield _code(block)
            case Kind.BULLETS | Kind.NUMBERS:
                yield from _list(block)
            case Kind.QUOTE:
                yield from _inner(block.children)
            case Kind.TABLE:
                for row in block.children:
                    cells = (prose.plain_text(cell) for cell in row.children)
                    yield _node("paragraph", _inline([Run(" | ".join(cells))]))
            case _:
                is_heading = block.kind is Kind.HEADING
                runs = prose.bold(block.runs) if is_heading else block.runs
                if content := _inline(runs, is_one_line=is_heading):
                    yield _node("paragraph", content)


def _list(block: Block) -> Iterator[Node]:
    items = [_node("listItem", item) for child in block.children if (item := _item(child))]
    if items and block.kind is Kind.BULLETS:
        yield _node("bulletList", items)
    elif items:
        yield _node("orderedList", items, order=block.start)


def _item(item: Block) -> list[Node]:
    """What an item holds; it has to begin with a paragraph."""
    content = list(_inner(item.children))
    if content and content[0]["type"] != "paragraph":
        content.insert(0, _node("paragraph", ()))
    return content


def _code(block: Block) -> Node:
    attrs = {"language": block.language} if block.language else {}
    return _node("codeBlock", [_text(block.code)] if block.code else [], **attrs)


def _row(row: Block) -> Node:
    return _node("tableRow", map(_cell, row.children))


def _cell(cell: Block) -> Node:
    kind = "tableHeader" if cell.kind is Kind.HEADER_CELL else "tableCell"
    return _node(kind, [_node("paragraph", _inline(cell.runs, is_one_line=True))])


# --- Inline -----------------------------------------------------------------------------


def _inline(runs: Sequence[Run], *, is_one_line: bool = False) -> list[Node]:
    nodes: list[Node] = []
    for run in runs:
        if run.text == "\n":
            nodes.append(_text(" ") if is_one_line else {"type": "hardBreak"})
        elif run.text:
            nodes.append(_text(run.text, *_marks(run)))
    return nodes


def _marks(run: Run) -> Iterator[Node]:
    """Code goes with nothing but a link."""
    if run.href:
        yield {"type": "link", "attrs": {"href": run.href}}
    if run.is_code:
        yield {"type": "code"}
    else:
        yield from ({"type": name} for mark, name in _MARKS.items() if mark in run.marks)
