"""Whatever is sent, the answer is a query or an error, and it comes soon (in CPU time)."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from findings.facts import Facts
from findings.query.ast import QueryError
from findings.query.canonical import write
from findings.query.parse import parse, parse_rule_query
from findings.query.predicate import compile_predicate

HOSTILE = [
    *("(", ")", "-", "*", "?", '"', "\\", ":", "[", "{", "@", "a ", "-a ", "a OR ", "NOT ", "a:("),
    *("a.", "@a.", "*a", "?*", "\\*", "a:* ", "CIDR(", "[* TO ", "é", "x:(-", '"a" ', "@a:>1 "),
]
TOO_COSTLY = (
    "This search would take too long. It looks for too much from column {} on: use fewer words "
    "and wildcards, or `key:value` terms instead"
)
LONG = Facts("secret", "high", title="a" * 20_000, tags=("x:" + "a" * 20_000,))


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("prefix", ["", "x:", "@x.y:"])
def test_it_answers_soon_whatever_is_repeated(prefix, piece):
    text = (prefix + piece * 30_000)[:30_000]
    started = time.process_time()
    with contextlib.suppress(QueryError):
        compile_predicate(parse(text).root)(LONG)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text", ["x:" + "*a" * 400 + "b", "*a" * 200 + "b", "x:" + "?*" * 400 + "b"]
)
def test_it_matches_wildcards_in_one_pass(text):
    matches = compile_predicate(parse(text).root)
    started = time.process_time()
    assert not matches(LONG)
    assert time.process_time() - started < 1


def test_it_compiles_a_thousand_different_words_soon():
    root = parse_rule_query(" ".join(f"-word{n}*" for n in range(1_000))).root  # of old rules
    started = time.process_time()
    assert compile_predicate(root)(LONG)
    assert time.process_time() - started < 10  # it was 26 s with a larger set of characters


words = st.sampled_from(
    [*HOSTILE, "AND", "OR", " ", "TO", "7", "]", "}", "a", "env:", "@severity:", ">=", "title:"]
)


@given(st.lists(words | st.text(max_size=3), max_size=40).map("".join))
@example('a:"\\""')
@settings(deadline=None, max_examples=500)
def test_it_raises_nothing_but_query_errors(text):
    try:
        root = parse(text).root
    except QueryError as error:
        position = error.position
    else:
        position = 0
        compile_predicate(root)(LONG)
        assert parse(write(root)).root == root
    assert 0 <= position <= len(text)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("a" * 30_001, 30_000, "A query has at most 30,000 characters, this has 30,001"),
        ("a:b " * 1_001, 4_002, "A query has at most 1,000 terms"),
        ("a " * 201, 400, TOO_COSTLY.format(401)),
        ("-*a* OR " * 100 + "a", 800, TOO_COSTLY.format(801)),
        ("a:b " * 999 + '"two words"', 3_996, TOO_COSTLY.format(3_997)),
        ("(" * 51 + "a" + ")" * 51, 50, "A query nests at most 50 levels deep"),
        ("-" * 51 + "a", 50, "A query nests at most 50 levels deep"),
        ("NOT " * 51 + "a", 200, "A query nests at most 50 levels deep"),
        ("@" + "a." * 50 + "a:1", 0, "A path has at most 50 steps"),
        ("a" * 501, 0, "A word or phrase has at most 500 characters"),
    ],
)
def test_it_says_which_limit_is_passed(text, position, message):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.position, caught.value.message) == (position, message)


@pytest.mark.parametrize(
    "text",
    [
        "a:b " * 1_000,
        "a " * 200,
        "*a* " * 100,
        "(" * 50 + "a" + ")" * 50,
        "-" * 50 + "a",
        "x:" + "a" * 29_998,
        "a" * 500,
    ],
)
def test_it_reads_what_is_just_within_the_limits(text):
    assert compile_predicate(parse(text).root)(LONG) in (True, False)
