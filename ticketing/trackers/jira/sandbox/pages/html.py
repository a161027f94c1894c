"""HTML as a tree, so that nothing reaches the page unescaped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element, tostring

Child = Element | str | None


def tag(element: str, /, *children: Child, **attributes: str) -> Element:
    """`class_` and `for_` are written without their underscore; None is no child."""
    node = Element(
        element, {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    )
    extend(node, children)
    return node


def extend(element: Element, children: Iterable[Child]) -> None:
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif child is not None and len(element):
            element[-1].tail = (element[-1].tail or "") + child
        elif child is not None:
            element.text = (element.text or "") + child


def link(address: str, *children: Child, **attributes: str) -> Element:
    return tag("a", *children, href=address, **attributes)


def select(name: str, options: Iterable[tuple[str, str]], chosen: str = "", **more: str) -> Element:
    """Options are values and words."""
    rows = []
    for value, words in options:
        state = {"selected": "selected"} if value == chosen else {}
        rows.append(tag("option", words, value=value, **state))
    return tag("select", *rows, name=name, **more)


def post(address: str, *children: Child, **attributes: str) -> Element:
    return tag("form", *children, method="post", action=address, **attributes)


def render(root: Element) -> bytes:
    text: str = tostring(root, encoding="unicode", method="html")
    return f"<!doctype html>\n{text}\n".encode()


_BLOCKS = {
    "paragraph": "p",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "blockquote": "blockquote",
    "panel": "blockquote",
    "expand": "blockquote",
    "table": "table",
    "tableRow": "tr",
    "tableHeader": "th",
    "tableCell": "td",
    "rule": "hr",
    "hardBreak": "br",
    "codeBlock": "pre",
}
_MARKS = {"strong": "strong", "em": "em", "code": "code", "strike": "s", "underline": "u"}
_SCHEMES = ("https://", "http://", "mailto:")


def from_document(document: dict[str, Any]) -> Element:
    """An Atlassian document as HTML; its headings are all one level below those of the page."""
    return tag("div", *map(_node, document.get("content", [])), class_="text")


def _node(node: dict[str, Any]) -> Child:
    kind = node.get("type", "")
    attributes = node.get("attrs") or {}
    children = [_node(child) for child in node.get("content", [])]
    if kind == "heading":
        return tag("h3", *children)
    if kind in _BLOCKS:
        return tag(_BLOCKS[kind], *children)
    if kind in {"inlineCard", "blockCard"}:
        return _anchor(str(attributes.get("url", "")), str(attributes.get("url", "")))
    text: Child = str(node.get("text") or attributes.get("text") or "")
    for mark in node.get("marks", []):
        if mark["type"] == "link":
            text = _anchor(str(mark["attrs"].get("href", "")), text)
        elif mark["type"] in _MARKS:
            text = tag(_MARKS[mark["type"]], text)
    return text if not children else tag("div", text, *children)


def _anchor(address: str, text: Child) -> Child:
    if not address.lower().startswith(_SCHEMES):
        return text
    return link(address, text, rel="noreferrer noopener")
