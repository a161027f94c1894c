"""Markdown ↔ wiki markup. What is active is told by a reader of its own, after Atlassian's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.drafts import code, plain
from ticketing.trackers.jira.wiki import LIMIT, length, to_markdown, to_plain_wiki, to_wiki

NASTY = st.text(alphabet="\\{}[]|*_-+^~?!@#h1.bq:()/ \n`<>&;~codeax\u2060é0", max_size=60)
TEXTS = st.one_of(NASTY, st.text(max_size=200))
PIECES = ["{code}", "{color:red}", "[~admin]", "!x.png!", "h1. ", "||", "{{", "}}", "\\", "\\\\"]
MIXED = st.lists(st.one_of(st.sampled_from(PIECES), NASTY), max_size=8).map("".join)

ESCAPE = re.compile(r"(?<!\\)\\[-#*_+?^~|%{}\[\]()!@]")
NOT_WORD = (r"(?<![^\W_])", r"(?![^\W_])")
ACTIVE = {
    "macro": r"\{[A-Za-z][^{}\n]*\}",
    "monospace": r"\{\{.+?\}\}",
    "link": r"\[[^\]\n]+\]",
    "image": r"![^\s!][^!\n]*!",
    "heading": r"(?m)^\s*h[1-6]\.",
    "quotation": r"(?m)^\s*bq\.",
    "list": r"(?m)^\s*[*#-]+[ \t]+\S",
    "table": r"(?m)^\s*\|",
    "ruler": r"(?m)^\s*-{4,}",
    "new line": r"\\\\",
    "entity": r"&#?\w+;",
    "citation": r"\?\?\S",
} | {
    f"phrase {sign}": rf"{NOT_WORD[0]}\{sign}(?=\S)[^\n]*?(?<=\S)\{sign}{NOT_WORD[1]}"
    for sign in "*_+^~-"
}


def active(wiki):
    """The kinds of markup that a Jira would see in this text."""
    text = ESCAPE.sub("\ue000", wiki)
    return {kind for kind, pattern in ACTIVE.items() if re.search(pattern, text)}


@pytest.mark.parametrize("text", ["*b*", "{color:red}x{color}", "[~a]", "!a!", "h1. a", "- a"])
def test_it_sees_markup_that_is_active(text):
    assert active(text)


@given(TEXTS | MIXED)
def test_no_plain_text_is_active(text):
    assert active(to_plain_wiki(text)) == set()


@given(TEXTS | MIXED)
def test_no_quoted_text_is_active(text):
    assert active(to_wiki(plain(text))) == set()


@given(TEXTS | MIXED)
def test_no_code_span_can_be_left(text):
    wiki = to_wiki(code(text))
    if code(text).strip():
        assert wiki.startswith("{{")
        assert wiki.endswith("}}")
    assert active(wiki[2:-2]) == set()


@given(TEXTS | MIXED)
def test_no_markdown_makes_a_macro_a_mention_or_an_image(text):
    wiki = ESCAPE.sub("\ue000", to_wiki(text))
    macros = set(re.findall(r"\{([A-Za-z]+)[^{}\n]*\}", re.sub(r"\{\{.*?\}\}", "", wiki)))
    assert macros <= {"code", "noformat", "quote"}
    assert "[~" not in wiki
    assert not re.search(ACTIVE["image"], re.sub(r"(?s)\{(code|noformat).*?\{\1\}", "", wiki))


@given(TEXTS | MIXED, st.integers(30, 400))
def test_it_keeps_the_limit(text, limit):
    assert length(to_wiki(text * 20, limit)) <= limit
    assert length(to_plain_wiki(text * 20, limit)) <= limit


@given(TEXTS | MIXED)
def test_it_reads_anything(text):
    to_wiki(to_markdown(text))


@pytest.mark.parametrize(
    ("markdown", "wiki"),
    [
        ("# A\n\n###### B", "h1. A\n\nh6. B"),
        ("**b** *i* ***bi***", "*b* _i_ *_bi_*"),
        ("*a **b** c*", "_a *b* c_"),
        ("~~gone~~", "-gone-"),
        ("a**b**c", "a\u2060*b*\u2060c"),
        ("`a b`", "{{a b}}"),
        ("`{code}`", "{{\u2060\\{code\\}\u2060}}"),
        ("```python\nx = 1\n```", "{code:python}\nx = 1\n{code}"),
        ("```brainfuck\n+\n```", "{noformat}\n+\n{noformat}"),
        ("```\n{noformat}\n```", "{noformat}\n{\u2060noformat}\n{noformat}"),
        ("- a\n  - b\n    1. c\n- d", "* a\n** b\n**# c\n* d"),
        ("[a](https://b.test/?c=d)", "[a|https://b.test/?c=d]"),
        ("[a|b]](https://b.test)", "\\[a\\|b\\]\\]([https://b.test])"),
        ("[a](javascript:x)", "\\[a\\](javascript:x)"),
        ("![a](https://b.test/c.png)", "[a|https://b.test/c.png]"),
        ("see https://b.test/a_b_(c).", "see [https://b.test/a_b_%28c%29]."),
        ("> q\n>\n> > r", "{quote}\nq\n\nr\n{quote}"),
        ("| a | b |\n|---|---|\n| 1 | |", "||a||b||\n|1| |"),
        ("a\n\n---\n\nb", "a\n\n----\n\nb"),
        ("<script>", "<script>"),
        ("line  \nbreak", "line\nbreak"),
        ("CVE-2021-23337 a_b x@y.test", "CVE-2021-23337 a_b x@y.test"),
        ("C:\\Users \\\\\\\\srv", "C:\\Users \\\u2060\\srv"),
    ],
)
def test_it_writes(markdown, wiki):
    assert to_wiki(markdown) == wiki


@pytest.mark.parametrize(
    ("wiki", "markdown"),
    [
        ("h2. A\nb", "## A\n\nb"),
        ("*b* _i_ -gone- {{c}}", "**b** _i_ ~~gone~~ `c`"),
        ("{code:python|title=x}\nx = 1\n{code}", "```python\nx = 1\n```"),
        ("{noformat}*x*{noformat}", "```\n*x*\n```"),
        ("{quote}a\nb{quote}c", "> a  \n> b\n\nc"),
        ("* a\n** b\n# c", "- a\n  - b\n1. c"),
        ("[a|https://b.test] [https://b.test]", "[a](<https://b.test>) <https://b.test>"),
        ("[~accountid:5b1] [~ada]", "@5b1 @ada"),
        ("[a|file:///etc]", "a (file:///etc)"),
        ("!x.png|thumbnail! [^log.txt]", "x.png log.txt"),
        ("{color:red}a{color} {unknown:x}", "a {unknown:x}"),
        (
            "||a||b||\n|1|[x|https://y.test]|",
            "| a | b |\n| --- | --- |\n| 1 | [x](<https://y.test>) |",
        ),
        ("# not a list\\*", "1. not a list\\*"),
        ("1. a <b> [x] `c`", "1\\. a \\<b\\> x \\`c\\`"),
        ("a\nb\n\nc", "a  \nb\n\nc"),
    ],
)
def test_it_reads(wiki, markdown):
    assert to_markdown(wiki) == markdown


WORDS = st.sampled_from(["alpha", "x_y", "a-b", "v1.", "{z}", "*", "C:\\{", "h1.", "#", "&amp;"])


@given(st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
def test_text_comes_back_as_it_was(text):
    for markdown in (plain(text), code(text), f"- a {plain(text)}", f"**a** {plain(text)}"):
        wiki = to_wiki(markdown)
        assert to_wiki(to_markdown(wiki)) == wiki


def test_a_long_text_keeps_its_end():
    text = "\n\n".join(
        ["word " * 50] * 500 + ["- fact", "[Open the finding](https://f.test)", "By us."]
    )
    wiki = to_wiki(text)
    assert length(wiki) <= LIMIT
    assert wiki.endswith(
        "… shortened, see the finding\n\n* fact\n\n[Open the finding|https://f.test]\n\nBy us."
    )
    assert length(wiki) > LIMIT * 0.9


def test_one_long_block_is_cut_inside():
    wiki = to_wiki("```python\n" + "x = 1\n" * 20_000 + "```\n\nBy us.")
    assert wiki.startswith("{code:python}\nx = 1")
    assert wiki.endswith("{code}\n\n… shortened, see the finding\n\nBy us.")
    assert length(wiki) <= LIMIT


def test_a_character_outside_the_basic_plane_counts_twice():
    assert length(to_wiki("😀" * 30_000)) <= LIMIT
