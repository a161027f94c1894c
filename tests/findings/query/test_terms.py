from __future__ import annotations

import pytest

from findings.query.ast import QueryError
from findings.query.parse import parse
from findings.query.terms import split_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("env:prod", ("env:prod",)),
        ("env:prod OR env:staging", ("env:prod", "env:staging")),
        ("env:(prod OR staging)", ("env:prod", "env:staging")),
        ("(env:prod OR @a.b:1) -team:x NOT team:y", ("env:prod", "@a.b:1", "-team:x", "-team:y")),
        ("-team:x", ("-team:x",)),
        ('env:"two words"', ('env:"two words"',)),
        ("@cvss:>=7", ("@cvss:>=7",)),
    ],
)
def test_it_takes_a_list_of_terms_apart(text, terms):
    assert split_terms(text) == terms


@pytest.mark.parametrize(
    "text",
    [
        "env:prod team:x",
        "(env:prod OR env:staging) team:x",
        "env:prod OR -team:x",
        "env:prod OR (a:b c:d)",
        "-(env:prod OR team:x)",
        "payments",
        "env:prod -payments",
    ],
)
def test_it_leaves_a_query_that_says_more(text):
    assert split_terms(text) is None


def test_it_means_the_same_put_together():
    text = "(env:prod OR @a.b:1) -team:x"
    first, second, without = split_terms(text)

    assert parse(f"({first} OR {second}) {without}").root == parse(text).root


def test_it_refuses_what_is_no_query():
    with pytest.raises(QueryError):
        split_terms("(env:prod")


def test_it_answers_in_json(as_user, viewer):
    browser = as_user(viewer)

    assert browser.get("/rules/terms?query=a:b").json() == {"terms": ["a:b"]}
    assert browser.get("/rules/terms?query=a").json() == {"terms": None}
    assert browser.get("/rules/terms?query=(").json() == {"terms": None}
