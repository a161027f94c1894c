"""Jira's wiki markup → Markdown, as far as both can say the same.

Pure, and good enough for what people write in comments and descriptions. What it does not
know stays as text; text never becomes Markdown that was not meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ticketing.trackers.jira import prose

JOINER = "\u2060"  # invisible; keeps our own text from being read as markup

# --- Blocks -----------------------------------------------------------------------------

_MACRO = re.compile(r"(?<!\\)\{(?P<name>code|noformat|quote|panel)(?::(?P<of>[^{}\n]{0,500}))?\}")
_RAW = ("code", "noformat")


def to_markdown(wiki: str) -> str:
    markdown = "".join(_pieces(prose.clean(wiki))).replace(JOINER, "")
    return re.sub(r"\n{3,}", "\n\n", markdown).strip("\n")


def _pieces(text: str) -> Iterator[str]:
    """The text piece by piece: raw, quoted, or plain between two macros."""
    at, raw, quotes = 0, None, 0
    for macro in _MACRO.finditer(text):
        if raw is not None and (macro["name"] != raw["name"] or macro["of"]):
            continue
        piece = text[at : macro.start()]
        at = macro.end()
        if raw is not None:
            yield _quoted(_fenced(piece, raw["of"] or ""), quotes)
            raw = None
            continue
        yield _quoted(_lines(piece), quotes)
        if macro["name"] in _RAW:
            raw = macro
        else:
            quotes = 1 - quotes
            yield "\n\n"
    if raw is not None:
        yield _quoted(_lines(text[raw.start() : raw.end()]), quotes)
    yield _quoted(_lines(text[at:]), quotes)


def _quoted(markdown: str, quotes: int) -> str:
    if not quotes:
        return markdown
    lines = markdown.strip("\n").split("\n")
    return "\n".join(f"> {line}" if line else ">" for line in lines) + "\n"


def _fenced(code: str, parameters: str) -> str:
    code = code.strip("\n")
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code)), 3)
    language = next((p for p in parameters.split("|") if re.fullmatch(r"[\w+#-]+", p)), "")
    return f"\n\n{fence}{language}\n{code}\n{fence}\n\n"


_HEADING = re.compile(r"[ \t]*h([1-6])\.[ \t]+(.*)")
_QUOTE = re.compile(r"[ \t]*bq\.[ \t]+(.*)")
_ITEM = re.compile(r"[ \t]*([*#]+|-)[ \t]+(.*)")
_RULE = re.compile(r"[ \t]*-{4,5}[ \t]*")
_ROW = re.compile(r"[ \t]*(\|\|?)(.*\S)[ \t]*")


def _lines(text: str) -> str:
    """Lines of one segment. `kind` is what the last line was; a break stands where it changes."""
    out: list[str] = []
    kind = ""
    depths: list[int] = []
    for line in text.split("\n"):
        is_item = _ITEM.fullmatch(line)
        depths = depths if is_item or (line.strip() and kind == "item") else []
        now, written = _item(is_item, depths) if is_item else _line(line, kind, depths)
        if kind and now and (now != kind or now == "quote"):
            out.append("\n")
        elif out and now == kind and (now == "text" or (now == "item" and not is_item)):
            out[-1] = out[-1].removesuffix("\n") + "  \n"
        out.append(written + "\n")
        kind = now
    return "".join(out).removesuffix("\n")


def _line(line: str, kind: str, depths: list[int]) -> tuple[str, str]:
    """What kind of line it is, and the Markdown that says the same."""
    if not line.strip():
        return "", ""
    if heading := _HEADING.fullmatch(line):
        found = "heading", f"{'#' * int(heading[1])} {_inline(heading[2])}"
    elif quote := _QUOTE.fullmatch(line):
        found = "quote", f"> {_inline(quote[1])}"
    elif _RULE.fullmatch(line):
        found = "rule", "---"
    elif row := _ROW.fullmatch(line):
        found = "table", _table_row(row, is_first=kind != "table")
    elif kind == "item":
        found = "item", " " * sum(depths) + _start(_inline(line.strip()))
    else:
        found = "text", _start(_inline(line.strip()))
    return found


def _item(item: re.Match[str], depths: list[int]) -> tuple[str, str]:
    """A list item; `depths` holds how far each level above it indents what is inside."""
    level = len(item[1])
    del depths[level - 1 :]
    indent = " " * sum(depths)
    bullet = "1. " if item[1][-1] == "#" else "- "
    depths += [len(bullet)] * (level - len(depths))
    return "item", f"{indent}{bullet}{_start(_inline(item[2]))}"


def _table_row(row: re.Match[str], *, is_first: bool) -> str:
    body = row[2].rstrip("|")
    cells = list(_cells(body))
    written = f"| {' | '.join(_inline(cell.strip()) for cell in cells)} |"
    if not is_first:
        return written
    line = f"|{' --- |' * len(cells)}"
    blank = f"|{'  |' * len(cells)}"
    return f"{written}\n{line}" if row[1] == "||" else f"{blank}\n{line}\n{written}"


_CELL_END = re.compile(r"\\.|\[[^\[\]\n]*\]|(?P<end>\|\|?)")


def _cells(body: str) -> Iterator[str]:
    """The cells of a row; a bar in a link or after a backslash ends none."""
    at = 0
    for found in _CELL_END.finditer(body):
        if found["end"]:
            yield body[at : found.start()]
            at = found.end()
    yield body[at:]


def _start(markdown: str) -> str:
    """A line that begins like a block of Markdown is text all the same."""
    return re.sub(r"^(?=[#>+=~-])|^(\d{1,9})(?=[.)])", r"\1\\", markdown, count=1)


# --- Inline -----------------------------------------------------------------------------


def _phrase(sign: str) -> str:
    inner = rf"(?:\\.|[^\\\n{re.escape(sign[0])}])+?"
    s = re.escape(sign)
    return rf"(?<![^\W_]){s}(?=\S)({inner})(?<=\S){s}(?![^\W_])"


_TOKEN = re.compile(
    "|".join(
        (
            r"\\(?P<escaped>[-#*_+?^~|%{}\[\]()!@])",
            r"(?P<nothing>\{(?:color|anchor)(?::[^{}\n]*)?\})",
            r"(?P<newline>\\\\)",
            r"\{\{(?P<mono>(?:(?!\{\{)[^\n])+?)\}\}",
            r"\[(?P<link>[^\[\]\n]+)\]",
            r"!(?P<image>[^\s!|][^!|\n]*)(?:\|[^!\n]*)?!",
            r"(?P<url>https?://[^\s<>|{}\[\]\\]+[^\s<>|{}\[\]\\.,;:!?')*_])",
            r"\{(?P<sign>[*_+^~-])\}(?P<braced>(?:(?!\{[*_+^~-]\})[^\n])+)\{(?P=sign)\}",
            rf"(?P<bold>{_phrase('*')})",
            rf"(?P<italic>{_phrase('_')})",
            rf"(?P<strike>{_phrase('-')})",
            rf"(?P<cite>{_phrase('??')})",
            rf"(?P<other>{_phrase('+')}|{_phrase('^')}|{_phrase('~')})",
        )
    )
)
_SPECIAL = re.compile(r"[\\`*\[\]<>|]|(?<![^\W_])_|_(?![^\W_])|~(?=~)|(?<=~)~|&(?=\u2060)")
_WRAPS = {"bold": "**", "italic": "_", "strike": "~~", "cite": "_"}
_BRACED = {"*": "**", "_": "*", "-": "~~"}


def _inline(text: str) -> str:
    out, at = [], 0
    for token in _TOKEN.finditer(text):
        out += [_plain(text[at : token.start()]), _token(token)]
        at = token.end()
    return "".join([*out, _plain(text[at:])])


def _token(token: re.Match[str]) -> str:
    name = token.lastgroup or ""
    if token["sign"]:
        wrap = _BRACED.get(token["sign"], "")
        return f"{wrap}{_inline(token['braced'].strip())}{wrap}"
    for kind in (*_WRAPS, "other"):
        if found := token[kind]:
            width = 2 if kind == "cite" else 1
            wrap = _WRAPS.get(kind, "")
            return f"{wrap}{_inline(found[width:-width])}{wrap}"
    name = next(name for name in _WRITERS if token[name])
    return _WRITERS[name](token[name])


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _mono(text: str) -> str:
    text = re.sub(r"\\([-#*_+?^~|%{}\[\]()!@])", r"\1", text).strip()
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _link(body: str) -> str:
    """`[text|target]`, `[target]`, `[~person]`, `[^attachment]`."""
    text, _, rest = body.partition("|")
    target = (rest or text).partition("|")[0].strip()
    if target.startswith("~"):
        who = target.removeprefix("~").removeprefix("accountid:")
        return _plain(f"@{text.strip() if rest else who}")
    if prose.is_link(target) and not re.search(r"[\s<>]", target):
        return f"[{_inline(text)}](<{target}>)" if rest else f"<{target}>"
    if rest:
        return _plain(f"{text} ({target})")
    return _plain(target.lstrip("^#"))


def _image(name: str) -> str:
    return f"<{name}>" if re.fullmatch(r"https?://[^\s<>]+", name) else _plain(name)


_WRITERS: dict[str, Callable[[str], str]] = {
    "escaped": _plain,
    "nothing": lambda _: "",
    "newline": lambda _: "  \n",
    "mono": _mono,
    "link": _link,
    "image": _image,
    "url": lambda url: f"<{url}>",
}
