"""Long text between its two forms, roughly: enough to read one where the other was written."""

from __future__ import annotations

import re
from typing import Any

Node = dict[str, Any]

_HEADING = re.compile(r"^h([1-6])\.\s+(.*)$")
_BULLET = re.compile(r"^([*#-]+)\s+(.*)$")
_FENCE = re.compile(r"^\{(code|noformat)(?::([^}]*))?\}(.*)$")
_INLINE = re.compile(
    r"\[(?P<text>[^\]|\n]+)\|(?P<url>[^\]\n]+)\]"
    r"|\[(?P<bare>https?://[^\]\s|]+)\]"
    r"|\{\{(?P<code>[^{}\n]+)\}\}"
    r"|(?<![\w\\])\*(?P<strong>[^*\n]+)\*(?!\w)"
    r"|(?<![\w\\])_(?P<em>[^_\n]+)_(?!\w)"
    r"|\\(?P<plain>[^\w\s])"
)


def to_document(wiki: str) -> Node:
    """Wiki markup as an Atlassian document."""
    blocks: list[Node] = []
    lines = wiki.replace("\r\n", "\n").split("\n")
    while lines:
        line = lines.pop(0)
        if not line.strip():
            continue
        if fence := _FENCE.match(line):
            blocks.append(_code(fence, lines))
        elif heading := _HEADING.match(line):
            blocks.append(
                {
                    "type": "heading",
                    "attrs": {"level": int(heading[1])},
                    "content": _inline(heading[2]),
                }
            )
        elif line.strip() == "----":
            blocks.append({"type": "rule"})
        elif _BULLET.match(line):
            blocks.append(_list([line, *_take(lines, lambda text: bool(_BULLET.match(text)))]))
        else:
            blocks.append(_paragraph([line, *_take(lines, _is_plain)]))
    return {"type": "doc", "version": 1, "content": blocks}


def _is_plain(line: str) -> bool:
    special = _FENCE.match(line) or _HEADING.match(line) or _BULLET.match(line)
    return bool(line.strip()) and not special


def _take(lines: list[str], belongs: Any) -> list[str]:
    taken = []
    while lines and belongs(lines[0]):
        taken.append(lines.pop(0))
    return taken


def _code(fence: re.Match[str], lines: list[str]) -> Node:
    end = f"{{{fence[1]}}}"
    text = fence[3]
    body = []
    if end in text:
        body, text = [text.replace(end, "")], ""
    else:
        body = [text] if text else []
        while lines and end not in (line := lines.pop(0)):
            body.append(line)
    code = "\n".join(body)
    return {"type": "codeBlock", "content": [{"type": "text", "text": code}] if code else []}


def _list(lines: list[str]) -> Node:
    matches = [match for line in lines if (match := _BULLET.match(line))]
    kind = "orderedList" if matches[0][1].endswith("#") else "bulletList"
    items = [{"type": "listItem", "content": [_paragraph([match[2]])]} for match in matches]
    return {"type": kind, "content": items}


def _paragraph(lines: list[str]) -> Node:
    content: list[Node] = []
    for line in lines:
        if content:
            content.append({"type": "hardBreak"})
        content.extend(_inline(line))
    return {"type": "paragraph", "content": content}


def _inline(text: str) -> list[Node]:
    nodes: list[Node] = []
    position = 0
    for match in _INLINE.finditer(text):
        _append(nodes, text[position : match.start()])
        position = match.end()
        if url := match["url"] or match["bare"]:
            link = {"type": "link", "attrs": {"href": url.split("|")[0]}}
            _append(nodes, match["text"] or url, link)
        elif match["plain"]:
            _append(nodes, match["plain"])
        else:
            mark = next(name for name in ("code", "strong", "em") if match[name])
            _append(nodes, match[mark], {"type": mark})
    _append(nodes, text[position:])
    return nodes


def _append(nodes: list[Node], text: str, mark: Node | None = None) -> None:
    if not text:
        return
    node: Node = {"type": "text", "text": text}
    if mark:
        node["marks"] = [mark]
    nodes.append(node)


def to_wiki(document: Node) -> str:
    """An Atlassian document as wiki markup."""
    return "\n\n".join(filter(None, map(_block, document.get("content", []))))


def _block(node: Node) -> str:
    content = node.get("content", [])
    match node.get("type"):
        case "heading":
            return f"h{node['attrs']['level']}. {_text(content)}"
        case "codeBlock":
            return "{code}\n" + _text(content) + "\n{code}"
        case "bulletList" | "orderedList" as kind:
            sign = "*" if kind == "bulletList" else "#"
            return "\n".join(f"{sign} {_children(item)}" for item in content)
        case "blockquote" | "panel" | "expand" | "listItem":
            return _children(node)
        case "table":
            return "\n".join(f"|{'|'.join(map(_children, row['content']))}|" for row in content)
        case _:
            return "----" if node.get("type") == "rule" else _text(content)


def _children(node: Node) -> str:
    return "\n".join(map(_block, node.get("content", [])))


def _text(nodes: list[Node]) -> str:
    return "".join(map(_inline_text, nodes))


def _inline_text(node: Node) -> str:
    if node.get("type") == "hardBreak":
        return "\n"
    text: str = node.get("text") or node.get("attrs", {}).get("text", "")
    for mark in node.get("marks", []):
        match mark["type"]:
            case "strong":
                text = f"*{text}*"
            case "em":
                text = f"_{text}_"
            case "code":
                text = "{{" + text + "}}"
            case "link":
                text = f"[{text}|{mark['attrs']['href']}]"
    return text


def as_document(text: str | Node) -> Node:
    return to_document(text) if isinstance(text, str) else text


def as_wiki(text: str | Node) -> str:
    return text if isinstance(text, str) else to_wiki(text)
