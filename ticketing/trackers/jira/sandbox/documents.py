"""Is this an Atlassian document? Which nodes may stand in which, as Jira's schema has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticketing.trackers.jira.sandbox.errors import InvalidValue

Node = Mapping[str, Any]

_INLINE = frozenset({"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard"})
_LISTS = frozenset({"bulletList", "orderedList", "taskList"})
_IN_CELL = frozenset({"paragraph", "heading", "codeBlock", "blockquote", "panel", "rule"}) | _LISTS
_BLOCKS = _IN_CELL | {"table", "expand", "blockCard", "mediaSingle"}
_CONTENT: dict[str, frozenset[str]] = {
    "doc": _BLOCKS,
    "paragraph": _INLINE,
    "heading": _INLINE,
    "codeBlock": frozenset({"text"}),
    "blockquote": frozenset({"paragraph", "codeBlock"}) | _LISTS,
    "panel": frozenset({"paragraph", "heading", "codeBlock", "rule"}) | _LISTS,
    "expand": _IN_CELL | {"table"},
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "taskList": frozenset({"taskItem", "taskList"}),
    "taskItem": _INLINE,
    "listItem": frozenset({"paragraph", "codeBlock", "mediaSingle"}) | _LISTS,
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableHeader", "tableCell"}),
    "tableHeader": _IN_CELL,
    "tableCell": _IN_CELL,
    "mediaSingle": frozenset({"media"}),
}
_NEVER_EMPTY = frozenset(
    {
        "blockquote",
        "bulletList",
        "expand",
        "listItem",
        "orderedList",
        "panel",
        "table",
        "tableCell",
        "tableHeader",
        "taskList",
    }
)
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "heading": ("level",),
    "panel": ("panelType",),
    "inlineCard": ("url",),
    "blockCard": ("url",),
    "mention": ("id",),
    "emoji": ("shortName",),
    "date": ("timestamp",),
    "status": ("text", "color"),
    "link": ("href",),
    "textColor": ("color",),
}
_MARKS = frozenset(
    {"strong", "em", "code", "strike", "underline", "subsup", "textColor", "link"}
    | {"backgroundColor"}
)
_MARKS_BESIDE_CODE = frozenset({"code", "link"})


def check_document(value: Any) -> dict[str, Any]:
    is_document = isinstance(value, dict) and value.get("type") == "doc"
    if not is_document or value.get("version") != 1 or not isinstance(value.get("content"), list):
        raise InvalidValue(
            "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
        )
    document: dict[str, Any] = value
    _check(document)
    return document


def _check(node: Node) -> None:
    kind = node["type"]
    allowed = _CONTENT.get(kind, frozenset())
    children = node.get("content", [])
    if not isinstance(children, list) or (not children and kind in _NEVER_EMPTY):
        raise _invalid(f"content of {kind}")
    _check_attributes(node)
    if kind == "text":
        _check_text(node)
    for place, child in enumerate(children):
        if not isinstance(child, dict) or child.get("type") not in allowed:
            raise _invalid(f"{child!r:.80} in {kind}")
        if kind == "listItem" and place == 0 and child["type"] in _LISTS:
            raise _invalid("a list at the start of a listItem")
        if kind == "codeBlock" and child.get("marks"):
            raise _invalid("marks in a codeBlock")
        _check(child)


def _check_attributes(node: Node) -> None:
    attributes = node.get("attrs") or {}
    for name in _ATTRIBUTES.get(node["type"], ()):
        if name not in attributes:
            raise _invalid(f"{node['type']} without {name}")
    if node["type"] == "heading" and attributes["level"] not in range(1, 7):
        raise _invalid("level of a heading")
    if node["type"] == "link" and not isinstance(attributes["href"], str):
        raise _invalid("href of a link")


def _check_text(node: Node) -> None:
    if not isinstance(node.get("text"), str) or not node["text"]:
        raise _invalid("text without text")
    marks = node.get("marks", [])
    kinds = [mark.get("type") for mark in marks]
    if not set(kinds) <= _MARKS or len(set(kinds)) != len(kinds):
        raise _invalid(f"marks {kinds}")
    if "code" in kinds and not set(kinds) <= _MARKS_BESIDE_CODE:
        raise _invalid(f"code beside {kinds}")
    for mark in marks:
        _check_attributes(mark)


def _invalid(what: str) -> InvalidValue:
    return InvalidValue(f"INVALID_INPUT: {what}")
