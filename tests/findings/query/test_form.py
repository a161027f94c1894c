from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.facts import Facts
from findings.query.ast import QueryError
from findings.query.canonical import write
from findings.query.clock import as_of
from findings.query.form import Criteria, join, split
from findings.query.parse import parse
from findings.query.predicate import compile_predicate
from tests.findings.query import strategies

IMAGE = "(-@finding_type:host_and_container_vulnerability OR @resource_type:container_image)"
HOST = "(-@finding_type:host_and_container_vulnerability OR -@resource_type:container_image)"
SPLIT = {
    "@severity:(critical OR high) team:payments": Criteria(
        ("critical", "high"), None, "team:payments"
    ),
    "env:prod @severity:critical": Criteria(("critical",), None, "env:prod"),
    "@severity:HIGH": Criteria(("high",), None, ""),
    "a AND @severity:(low OR high) AND b  AND c": Criteria(("high", "low"), None, "a b  AND c"),
    "@severity:high (a OR b)": Criteria(("high",), None, "a OR b"),
    "@severity:high -(a OR b)": Criteria(("high",), None, "-(a OR b)"),
    f"{IMAGE} team:a": Criteria(None, "image", "team:a"),
    f"@severity:low {HOST}": Criteria(("low",), "host", ""),
}
UNTOUCHED = [
    *(
        "",
        "  team:a ",
        "a OR b",
        "@severity:high OR a",
        "@severity:high @severity:low",
        "((( ",
        "a )",
    ),
    *("-@severity:low", "@severity:crit*", "@severity:urgent", "@severity:>=7", "@severity:*"),
    *("(@severity:high a)", "@severity:(high -low)", "@severity:(high OR urgent)", "severity:high"),
    *(f"{IMAGE} {HOST}", f"-{IMAGE}", f"{IMAGE} OR a", "@severity:high OR @severity:low OR @a:b"),
]
criteria = st.builds(
    Criteria,
    st.none() | st.just(("critical",)) | st.just(("high", "low")),
    st.sampled_from([None, "image", "host"]),
    strategies.nodes.map(write),
)


@pytest.mark.parametrize(("text", "expected"), SPLIT.items())
def test_it_takes_the_one_term_apart(text, expected):
    assert split(text) == expected


@pytest.mark.parametrize("text", UNTOUCHED)
def test_it_leaves_any_other_query_untouched(text):
    assert split(text) == Criteria(text=text)


@pytest.mark.parametrize(
    "text", [text for text in [*SPLIT, *UNTOUCHED] if text not in ("((( ", "a )")]
)
def test_it_keeps_the_text_of_a_query_that_the_form_did_not_change(text):
    shown = split(text)
    assert join(shown, was=text) == text
    sent_back = Criteria(shown.severities or (), shown.narrowed, shown.text.strip())
    assert join(sent_back, was=text) == text


def test_it_writes_the_form_as_one_query():
    assert (
        join(Criteria(("critical", "high"), None, "team:a"))
        == "@severity:(critical OR high) team:a"
    )
    assert join(Criteria(("low",), "image", "a OR b")) == f"{IMAGE} @severity:low (a OR b)"
    assert join(Criteria(None, None, " a OR b ")) == " a OR b "
    assert (
        join(Criteria(("low",), None, "team:b"), was="team:b @severity:high")
        == "@severity:low team:b"
    )


@pytest.mark.parametrize("text", ["a) OR (b", "a (", "OR"])
def test_it_never_joins_to_a_text_that_is_no_query(text):
    with pytest.raises(QueryError):
        join(Criteria(("high",), None, text))


@given(criteria, strategies.findings)
def test_it_means_the_same_after_joining_and_splitting(drawn, fields):
    facts = Facts(**fields)

    def matches(query: str) -> bool:
        return compile_predicate(as_of(parse(query).root, strategies.NOON))(facts)

    joined = join(drawn)
    expected = matches(drawn.text) and matches(join(Criteria(drawn.severities, drawn.narrowed)))
    assert matches(joined) == expected
    assert matches(join(split(joined))) == expected
    assert matches(join(split(drawn.text))) == matches(drawn.text)
