from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.trackers.jira.sandbox import jql, markup
from ticketing.trackers.jira.sandbox.documents import check_document
from ticketing.trackers.jira.sandbox.errors import InvalidValue, Refused
from ticketing.trackers.jira.sandbox.pages.html import from_document, render


def doc(*content) -> dict:
    return {"type": "doc", "version": 1, "content": list(content)}


def text(words: str = "x", *marks: str, **attrs) -> dict:
    shown = [{"type": mark, **({"attrs": attrs} if attrs else {})} for mark in marks]
    return {"type": "text", "text": words, "marks": shown}


def block(kind: str, *content, **attrs) -> dict:
    return {"type": kind, "content": list(content), **({"attrs": attrs} if attrs else {})}


@pytest.mark.parametrize(
    "node",
    [
        block("paragraph"),
        block("paragraph", text("x", "strong", "em"), {"type": "hardBreak"}),
        block("paragraph", text("x", "link", href="https://fa.example")),
        block("heading", text(), level=2),
        block("codeBlock", {"type": "text", "text": "x"}, language="json"),
        block("bulletList", block("listItem", block("paragraph", text()))),
        block("table", block("tableRow", block("tableCell", block("paragraph", text())))),
        {"type": "rule"},
    ],
)
def test_it_takes_what_jira_takes(node):
    assert check_document(doc(node))["content"] == [node]


@pytest.mark.parametrize(
    "node",
    [
        "text",
        text(),
        block("marquee", text()),
        block("paragraph", text("")),
        block("paragraph", block("paragraph")),
        block("paragraph", text("x", "blink")),
        block("paragraph", text("x", "code", "strong")),
        block("paragraph", text("x", "link")),
        block("heading", text()),
        block("heading", text(), level=7),
        block("codeBlock", text("x", "strong")),
        block("bulletList"),
        block("bulletList", block("paragraph", text())),
        block("bulletList", block("listItem", block("bulletList", block("listItem")))),
        block("tableCell", block("paragraph")),
    ],
)
def test_it_refuses_what_jira_refuses(node):
    with pytest.raises(InvalidValue, match="INVALID_INPUT"):
        check_document(doc(node))


PIECES = st.sampled_from(
    ["h1. ", "* ", "# ", "{code}", "{noformat}", "\n", "\\", "[a|b]", "*b*", "_i_", "{{c}}", "<x>"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_any_wiki_becomes_a_document_and_a_page(wiki):
    document = markup.to_document(wiki)

    check_document(document)
    assert b"<x>" not in render(from_document(document))
    assert isinstance(markup.to_wiki(document), str)


WORDS = ["project", "=", "SEC", "AND", "in", "(", ",", ")", '"', "order", "by", "key", ">=", "-1h"]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=8).map(" ".join))
def test_any_question_is_understood_or_refused(question):
    with contextlib.suppress(Refused):
        assert jql.parse(question).order
