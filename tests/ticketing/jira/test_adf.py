"""Markdown ↔ Atlassian documents, judged by a small validator of the format's rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.drafts import plain
from ticketing.trackers.jira.adf import (
    LIMIT,
    from_document,
    length,
    to_document,
    to_plain_document,
)

INLINE = {"text", "hardBreak"}
LISTS = {"bulletList", "orderedList"}
CONTENT = {
    "doc": {"paragraph", "heading", "codeBlock", "rule", "blockquote", "table"} | LISTS,
    "paragraph": INLINE,
    "heading": INLINE,
    "codeBlock": {"text"},
    "blockquote": {"paragraph", "codeBlock"} | LISTS,
    "bulletList": {"listItem"},
    "orderedList": {"listItem"},
    "listItem": {"paragraph", "codeBlock"} | LISTS,
    "table": {"tableRow"},
    "tableRow": {"tableCell", "tableHeader"},
    "tableCell": {"paragraph"},
    "tableHeader": {"paragraph"},
    "rule": set(),
    "text": set(),
    "hardBreak": set(),
}
NOT_EMPTY = {"blockquote", "listItem", "table", "tableRow", "tableCell", "tableHeader"} | LISTS


def check(node, parent="doc"):
    kind = node["type"]
    children = node.get("content", [])
    assert {child["type"] for child in children} <= CONTENT[kind]
    assert children or kind not in NOT_EMPTY
    if kind == "text":
        marks = [mark["type"] for mark in node.get("marks", [])]
        assert node["text"]
        assert len(marks) == len(set(marks))
        assert "code" not in marks or set(marks) <= {"code", "link"}
        assert not (parent == "codeBlock" and marks)
    if kind == "listItem":
        assert children[0]["type"] == "paragraph"
    if kind == "heading":
        assert 1 <= node["attrs"]["level"] <= 6
    for child in children:
        check(child, kind)


PIECES = [
    "- ",
    "1. ",
    "> ",
    "# ",
    "**",
    "`",
    "```",
    "\n",
    "\n\n",
    "    ",
    "|a|b|\n|-|-|\n",
    "[a](http://b)",
]
MARKDOWN = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from([*PIECES, "a", "b c", "![x](y)"]), max_size=20).map("".join),
)


@given(MARKDOWN)
def test_every_text_makes_a_valid_document(text):
    document = to_document(text)
    assert document["version"] == 1
    check(document)
    check(to_plain_document(text))


@given(MARKDOWN, st.integers(200, 2000))
def test_it_keeps_the_limit(text, limit):
    for document in (to_document(text * 30, limit), to_plain_document(text * 30, limit)):
        check(document)
        assert length(document) <= limit


@given(MARKDOWN)
def test_it_reads_what_it_wrote(text):
    check(to_document(from_document(to_document(text))))


@given(st.text(max_size=80))
def test_plain_text_has_no_form(text):
    words = " ".join(plain(text).split())
    nodes = [node for block in to_document(words)["content"] for node in block["content"]]
    marks = {mark["type"] for node in nodes for mark in node.get("marks", [])}
    assert marks <= {"link"}
    assert len(to_document(words)["content"]) <= 1


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {
                "type": st.sampled_from(
                    [*CONTENT, "mention", "date", "panel", "taskList", "emoji", "zz"]
                )
            },
            optional={"content": inner, "attrs": inner, "marks": inner, "text": inner},
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_it_reads_anything(document):
    assert isinstance(from_document(document), str)


def test_it_reads_a_document_deeper_than_any():
    document = {"type": "doc", "content": []}
    for _ in range(5_000):
        document = {"type": "blockquote", "content": [document]}
    assert from_document(document).strip("> \n") == ""


def text(value, *marks):
    return {"type": "text", "text": value} | (
        {"marks": [{"type": m} for m in marks]} if marks else {}
    )


def paragraph(*content):
    return {"type": "paragraph", "content": list(content)}


@pytest.mark.parametrize(
    ("markdown", "content"),
    [
        ("a **b** `c`", [paragraph(text("a "), text("b", "strong"), text(" "), text("c", "code"))]),
        ("**`c`**", [paragraph(text("c", "code"))]),
        ("<b>[~x]</b>{color}", [paragraph(text("<b>[~x]</b>{color}"))]),
        ("a  \nb", [paragraph(text("a"), {"type": "hardBreak"}, text("b"))]),
        ("---", [{"type": "rule"}]),
        ("", []),
        (
            "3. # a",
            [
                {
                    "type": "orderedList",
                    "attrs": {"order": 3},
                    "content": [{"type": "listItem", "content": [paragraph(text("a", "strong"))]}],
                }
            ],
        ),
    ],
)
def test_it_writes(markdown, content):
    assert to_document(markdown)["content"] == content


def test_an_address_becomes_a_link_to_itself():
    [block] = to_document("see https://a.test/b.")["content"]
    link = {"type": "link", "attrs": {"href": "https://a.test/b"}}
    assert block["content"][1] == {"type": "text", "text": "https://a.test/b", "marks": [link]}


@pytest.mark.parametrize(
    "markdown",
    [
        "## A\n\nb **c** *d* `e`",
        "**a *b* c**",
        "*a **b*** c",
        "a **b**  \n**c *d***e",
        "- a\n  - b\n- c",
        "1. a\n1. b",
        "> a\n>\n> b",
        "```python\nx = 1\n```",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "a\\*b \\[c\\] \\<d>",
        "\\# a",
        "[a](<https://b.test>) <https://c.test>",
    ],
)
def test_it_reads_back_what_it_wrote(markdown):
    document = to_document(markdown)
    assert to_document(from_document(document)) == document


def test_it_reads_what_only_jira_has():
    document = {
        "type": "doc",
        "content": [
            paragraph(
                {"type": "mention", "attrs": {"id": "5b1", "text": "@Ada"}},
                text(" on "),
                {"type": "date", "attrs": {"timestamp": "1795478400000"}},
                text(" "),
                {"type": "inlineCard", "attrs": {"url": "https://a.test"}},
            ),
            {"type": "panel", "content": [paragraph(text("note"))]},
            {
                "type": "taskList",
                "content": [
                    {"type": "taskItem", "attrs": {"state": "DONE"}, "content": [text("x")]}
                ],
            },
            {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "1"}}]},
        ],
    }
    assert from_document(document) == "@Ada on 2026-11-24 <https://a.test>\n\n> note\n\n- ☑ x"


def test_a_long_text_keeps_its_end():
    document = to_document("\n\n".join(["word " * 50] * 500 + ["- fact", "Link.", "By us."]))
    assert length(document) <= LIMIT
    assert from_document(document).endswith(
        "… shortened, see the finding\n\n- fact\n\nLink.\n\nBy us."
    )
