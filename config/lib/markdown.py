"""Markdown from outside (scanners, people) → HTML that can do nothing but be read."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

# Raw HTML stays text, images and bare links are left out by the grammar itself.
_GRAMMAR = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_TAGS = {
    *("p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_DEEPER = {"h1": "h3", "h2": "h3"}  # below the page's own


def render_markdown(text: str) -> SafeString:
    """Sanitised HTML: no images, links only to http(s) and mailto, followed by nobody."""
    tokens = _GRAMMAR.parse(text)
    for token in tokens:
        token.tag = _DEEPER.get(token.tag, token.tag)
    html = _GRAMMAR.renderer.render(tokens, _GRAMMAR.options, {})
    return SafeString(
        nh3.clean(
            html,
            tags=_TAGS,
            attributes={"a": {"href"}},
            set_tag_attribute_values={"table": {"tabindex": "0"}},  # a wide one scrolls by keys
            url_schemes={"http", "https", "mailto"},
            link_rel="nofollow noopener",
        )
    )
