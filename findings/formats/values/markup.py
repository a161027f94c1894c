"""Texts that a scanner writes as HTML, as plain text."""

from __future__ import annotations

import re
from html import unescape
from itertools import groupby

_REST = r"\b[^<>]{0,2000}>"
_LINK = re.compile(
    r"""<a\s[^<>]{0,500}?\bhref\s{0,9}=\s{0,9}["']?\s{0,9}(?P<url>[^"'<>\s]{1,1000})[^<>]{0,500}>"""
    r"(?P<words>[^<>]{0,1000})</a\s{0,9}>",
    re.IGNORECASE,
)
_WITHIN_LINES = re.compile(
    rf"</?(?:a|b|i|u|em|strong|code|span|font|tt|sub|sup){_REST}", re.IGNORECASE
)
_LINES = re.compile(
    rf"</?(?:p|br|div|pre|ul|ol|dl|dt|dd|h[1-6]|hr|table|tbody|thead|tr|center){_REST}",
    re.IGNORECASE,
)
_ITEM = re.compile(rf"<li{_REST}", re.IGNORECASE)
_END = re.compile(rf"</?(?:td|th|li){_REST}", re.IGNORECASE)


def without_markup(html: str) -> str:
    """The text, its paragraphs as lines and its links as `words (address)`.

    Only elements that such texts are set with count as markup: `<script>` may be what a text is
    about.
    """
    if "<" in html:
        html = _WITHIN_LINES.sub("", _LINK.sub(r"\g<words> (\g<url>)", html))
        html = _END.sub(" ", _ITEM.sub("\n- ", _LINES.sub("\n", html)))
    lines = (line.strip() for line in unescape(html).replace("\0", "").splitlines())
    blocks = ("\n".join(group) for is_text, group in groupby(lines, key=bool) if is_text)
    return "\n\n".join(blocks)
