"""Markdown → Jira's wiki markup, as Data Center renders it and Cloud converts it.

Pure. Whatever stands in the Markdown as text stands in Jira as text: both renderers read `\\`
before one of `-#*_+?^~|%{}[]()!@` as an escape unless another backslash is before it, so every
such character that could mean something gets one. What cannot be escaped (a backslash, "h1."
at the start of a line) is kept apart from what follows by a word joiner, which is invisible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from ticketing.trackers.jira import prose
from ticketing.trackers.jira.lengths import MAX_TEXT, length
from ticketing.trackers.jira.prose import Block, Kind, Mark, Run
from ticketing.trackers.jira.wiki_reading import JOINER, to_markdown

__all__ = ["LIMIT", "to_markdown", "to_plain_wiki", "to_wiki"]

LIMIT = MAX_TEXT

_LANGUAGES = {"js": "javascript", "py": "python", "sh": "bash", "shell": "bash", "yml": "yaml"} | {
    name: name
    for name in (
        *("actionscript", "ada", "applescript", "bash", "c", "c#", "c++", "css", "erlang", "go"),
        *("groovy", "haskell", "html", "java", "javascript", "json", "lua", "objc", "perl", "php"),
        *("python", "r", "ruby", "scala", "sql", "swift", "visualbasic", "xml", "yaml"),
    )
}
"""What Data Center can colour; it shows an error in the place of code in any other language."""


def to_wiki(markdown: str, limit: int = LIMIT) -> str:
    """Wiki markup of at most `limit` characters; a longer text is cut between blocks."""
    head, tail = prose.parse_bounded(markdown, limit)
    parts = [_Part(text, block) for block in (*head, *tail) if (text := _block(block))]
    whole = "\n\n".join(part.text for part in parts)
    if not tail and length(whole) <= limit:
        return whole
    parts = prose.cut(parts, limit + 2, notice=_NOTICE, cost=_cost, begin=_begin)
    text = "\n\n".join(part.text for part in parts if part.text)
    return text if length(text) <= limit else prose.SHORTENED[:limit]


def to_plain_wiki(text: str, limit: int = LIMIT) -> str:
    """Wiki markup that shows `text` as it is, line for line."""
    text = prose.clean(text)
    text = prose.longest(text, lambda part: length(_inline(prose.plain_runs(part))) <= limit)
    return _inline(prose.plain_runs(text))


# --- Cutting ----------------------------------------------------------------------------


class _Part(NamedTuple):
    text: str
    block: Block


_NOTICE = _Part(prose.SHORTENED, Block(Kind.PARAGRAPH))


def _cost(part: _Part) -> int:
    return length(part.text) + 2  # and the gap before the next


def _begin(part: _Part, room: int) -> _Part:
    """What fits of a block that is too long on its own, without its form."""
    block, room = part.block, room - 2
    if block.kind is not Kind.CODE:
        return _Part(to_plain_wiki(prose.plain_text(block), max(room, 0)), block)
    code = prose.longest(
        block.code, lambda code: not code or length(_code(block._replace(code=code))) <= room
    )
    return _Part(_code(block._replace(code=code)) if code else "", block)


# --- Blocks -----------------------------------------------------------------------------

# Code is shown as it stands but for what may end it, or a quotation around it.
_MACRO_IN_CODE = re.compile(
    r"\{(?=/?(?:adf|anchor|code|color|expand|html|include|noformat|panel|quote)\b)", re.IGNORECASE
)


def _block(block: Block) -> str:
    return _BLOCKS.get(block.kind, _paragraph)(block)


def _paragraph(block: Block) -> str:
    return _inline(block.runs)


def _heading(block: Block) -> str:
    text = _inline(block.runs, is_one_line=True)
    return f"h{block.level}. {text}" if text else ""


def _quote(block: Block) -> str:
    text = "\n\n".join(text for inner in _unquoted(block) if (text := _block(inner)))
    return f"{{quote}}\n{text}\n{{quote}}" if text else ""


def _unquoted(block: Block) -> Iterator[Block]:
    """The blocks of a quotation; one inside it cannot be written and counts as its text."""
    for inner in block.children:
        if inner.kind is Kind.QUOTE:
            yield from _unquoted(inner)
        else:
            yield inner


def _code(block: Block) -> str:
    code = _MACRO_IN_CODE.sub("{" + JOINER, block.code)
    if name := _LANGUAGES.get(block.language.lower()):
        return f"{{code:{name}}}\n{code}\n{{code}}"
    return f"{{noformat}}\n{code}\n{{noformat}}"


def _list(block: Block) -> str:
    return "\n".join(_items(block, ""))


def _items(block: Block, prefix: str) -> Iterator[str]:
    """The lines of a list. A blank line would end it, so an item has none inside."""
    prefix += "*" if block.kind is Kind.BULLETS else "#"
    for item in block.children:
        bullet = f"{prefix} "
        for inner in _unquoted(item):
            if inner.kind in (Kind.BULLETS, Kind.NUMBERS):
                yield from _items(inner, prefix)
            elif text := _in_item(inner):
                yield bullet + text
                bullet = ""


def _in_item(block: Block) -> str:
    match block.kind:
        case Kind.HEADING:
            return _inline(prose.bold(block.runs), is_one_line=True)
        case Kind.RULE:
            return ""
        case _:
            return _block(block)


def _row(row: Block) -> str:
    sign = "||" if row.children and row.children[0].kind is Kind.HEADER_CELL else "|"
    cells = (_inline(cell.runs, is_one_line=True) or " " for cell in row.children)
    return f"{sign}{sign.join(cells)}{sign}"


_BLOCKS: dict[Kind, Callable[[Block], str]] = {
    Kind.HEADING: _heading,
    Kind.CODE: _code,
    Kind.QUOTE: _quote,
    Kind.BULLETS: _list,
    Kind.NUMBERS: _list,
    Kind.RULE: lambda _: "----",
    Kind.TABLE: lambda table: "\n".join(map(_row, table.children)),
}


# --- Inline -----------------------------------------------------------------------------

_SIGNS = {Mark.BOLD: "*", Mark.ITALIC: "_", Mark.STRIKE: "-"}
_LETTER = re.compile(r"[^\W_]")


class _Writer:
    """Text and markup, kept apart where they would run into each other."""

    def __init__(self) -> None:
        self.out = ""
        self._ends_in_markup = False

    def text(self, escaped: str) -> None:
        if self._ends_in_markup and _LETTER.match(escaped):
            self.out += JOINER
        self.out += escaped
        self._ends_in_markup = self._ends_in_markup and not escaped

    def markup(self, text: str) -> None:
        if _LETTER.match(self.out[-1:]) or self.out.endswith(("{", "}")):
            self.out += JOINER
        self.out += text
        self._ends_in_markup = True

    def close(self, signs: str) -> None:
        """A sign closes only right after what it marks."""
        if not signs:
            return
        text = self.out.rstrip(" ")
        self.out, space = f"{text}{signs}", self.out[len(text) :]
        self._ends_in_markup = True
        self.text(space)


def _inline(runs: Sequence[Run], *, is_one_line: bool = False) -> str:
    writer = _Writer()
    marks: list[Mark] = []  # those open, outermost first
    for index, run in enumerate(runs):
        stays = 0 if run.text == "\n" else _kept(marks, run)
        writer.close("".join(_SIGNS[mark] for mark in reversed(marks[stays:])))
        marks = marks[:stays]
        if run.text == "\n":
            writer.text(" " if is_one_line else "\n")
            continue
        new = [mark for mark in _SIGNS if mark in run.marks and mark not in marks]
        new.sort(key=lambda mark, index=index: -_reach(runs, index, mark))  # type: ignore[misc]
        marks += new
        _write(writer, run, "".join(_SIGNS[mark] for mark in new))
    writer.close("".join(_SIGNS[mark] for mark in reversed(marks)))
    return writer.out.rstrip(" ")


def _kept(marks: Sequence[Mark], run: Run) -> int:
    """How many of the open marks, from the outermost, the run carries."""
    return next((at for at, mark in enumerate(marks) if mark not in run.marks), len(marks))


def _reach(runs: Sequence[Run], index: int, mark: Mark) -> int:
    """How far the mark goes from this run on: what goes furthest opens first."""
    return next((at for at in range(index, len(runs)) if mark not in runs[at].marks), len(runs))


def _write(writer: _Writer, run: Run, signs: str) -> None:
    text = run.text.lstrip(" ")
    writer.text(run.text[: len(run.text) - len(text)])
    if signs:
        writer.markup(signs)
    if run.href:
        writer.markup(_link(run))
    elif run.is_code and text:
        writer.markup(_monospaced(text.rstrip(" ")))
    elif signs:
        writer.out += _escape(text)
    else:
        writer.text(_escape(text))


def _monospaced(text: str) -> str:
    inner = _escape(text)
    start = JOINER if inner.startswith("\\") else ""
    end = JOINER if inner.endswith("}") else ""
    return f"{{{{{start}{inner}{end}}}}}"


def _link(run: Run) -> str:
    url = quote(run.href, safe="-._~:/?#@$&',;=%+")
    text = " ".join(run.text.split()).translate(str.maketrans("[]|", "()/"))
    return f"[{url}]" if not text or run.text == run.href else f"[{_escape(text)}|{url}]"


# --- Escaping ---------------------------------------------------------------------------

_LINE_START = re.compile(r"^([ \t]*(?:h[1-6]|bq))(?=\.)", re.IGNORECASE | re.MULTILINE)
_SPECIAL = re.compile(
    r"""
    (?P<always> [{}\[\]|!] | \((?=[^\s()]{1,8}\)) | (?<=[:;])-?[()] )
  | (?P<outside> [*_+^~@\#-] )      # inside a word it means nothing
  | (?P<twice> \?(?=\?) | (?<=\?)\? )
  | (?P<apart> \\(?![^\W_]) | &(?=\#?\w+;) | \b(?:file|ftps?|irc|news|nntp):(?=//) )
    """,
    re.VERBOSE,
)


def _escape(text: str) -> str:
    """Text that is only text."""
    text = _SPECIAL.sub(_escaped, text)
    return _LINE_START.sub(rf"\1{JOINER}", text)


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if match["apart"]:
        return found + JOINER
    if match["outside"]:
        before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
        if _LETTER.match(before) and _LETTER.match(after):
            return found
    return "".join(rf"\{character}" for character in found)
