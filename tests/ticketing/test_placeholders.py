from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from findings.facts import Facts
from ticketing.placeholders import (
    NAMES,
    PlaceholderError,
    check,
    fill,
    fill_markdown,
    is_constant,
    names_in,
    summary_and_description,
)

FACTS = Facts(
    finding_type="library_vulnerability",
    severity="critical",
    title="RCE in lodash",
    description="Upgrade **it**.",
    resource_id="repo:acme/web",
    resource_name="web",
    tags=("env:prod", "team:web", "lang:js", "lang:ts"),
    attributes={
        "advisory": {"cve": "CVE-2021-23337"},
        "package": {"name": "lodash", "version": "4.17.20", "paths": [{"at": "a"}, {"at": "b"}]},
        "score": 9.8,
        "reachable": True,
    },
    workflow={"due_date": {"due_at": 1795564800000}},
    first_seen_at=datetime(2026, 11, 23, 8, 38, tzinfo=UTC),
)


def filled(value, **facts):
    return fill(value, FACTS._replace(**facts), url="https://fa.test/f/1", rule_name="Prod")


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{title}}", "RCE in lodash"),
        ("{{ severity }}: {{title}}", "Critical: RCE in lodash"),
        ("{{type}}", "Library Vulnerability"),
        ("{{resource}} {{resource_id}}", "web repo:acme/web"),
        ("{{first_seen}}", "2026-11-23 08:38 UTC"),
        ("{{due_date}}", "2026-11-25"),
        ("{{cve}} {{package}} {{package_version}}", "CVE-2021-23337 lodash 4.17.20"),
        ("{{tags.team}}", "web"),
        ("{{tags.lang}}", ["js", "ts"]),
        ("{{tags}}", ["env:prod", "team:web", "lang:js", "lang:ts"]),
        ("in {{tags.lang}}", "in js, ts"),
        ("{{@package.name}}", "lodash"),
        ("{{@package.paths.at}}", ["a", "b"]),
        ("{{@score}}", 9.8),
        ("{{@reachable}}", "true"),
        ("{{@severity}}", "critical"),
        ("{{rule}} {{url}}", "Prod https://fa.test/f/1"),
        ("{{@nothing}}", None),
        ("{{tags.nothing}}", None),
        ("a {{@nothing}}b", "a b"),
        ("no placeholder }} {here}", "no placeholder }} {here}"),
    ],
)
def test_it_fills(template, value):
    check(template)
    assert filled(template) == value


def test_it_leaves_out_what_is_missing():
    fields = {
        "customfield_1": {"value": "{{tags.none}}"},
        "customfield_2": {"value": "{{tags.team}}", "child": {"value": "{{tags.none}}"}},
        "labels": ["security", "{{tags.none}}", "{{tags.lang}}"],
        "customfield_3": 5,
    }
    assert filled(fields) == {
        "customfield_2": {"value": "web"},
        "labels": ["security", "js", "ts"],
        "customfield_3": 5,
    }


def test_a_filled_value_is_not_filled_again():
    assert filled("{{title}}", title="{{url}}") == "{{url}}"
    assert filled("x {{title}}", title="{{url}}") == "x {{url}}"


@pytest.mark.parametrize("name", [name.name for name in NAMES])
def test_every_name_is_missing_in_a_bare_finding_or_a_text(name):
    bare = Facts(finding_type="secret", severity="low")
    value = fill(f"{{{{{name}}}}}", bare, url="", rule_name="")
    assert value is None or isinstance(value, str)


@pytest.mark.parametrize(
    ("text", "position", "sentence"),
    [
        ("a {{nope}}", 2, "Nothing is called “{{nope}}”."),
        ("{{}}", 0, "Nothing is called “{{}}”."),
        ("{{@}}", 0, "Nothing is called “{{@}}”."),
        ("{{tags.}}", 0, "Nothing is called “{{tags.}}”."),
        ("{{title", 0, "“{{” at character 1 is not closed. Add “}}”."),
        ("{{title}} {{url}", 10, "“{{” at character 11 is not closed."),
    ],
)
def test_it_says_what_is_wrong(text, position, sentence):
    with pytest.raises(PlaceholderError) as caught:
        check({"customfield_1": [{"value": text}]})
    assert caught.value.position == position
    assert str(caught.value).startswith(sentence)


def test_it_names_what_a_value_uses():
    value = {"a": ["{{title}}", {"b": "{{ @x.y }} {{tags.team}}"}], "c": 3}
    assert names_in(value) == {"title", "@x.y", "tags.team"}
    assert not is_constant(value)
    assert is_constant({"a": ["x", 3, None, {"b": "}}"}]})


@pytest.mark.parametrize("value", ["*x* [a](javascript:b)", "`<b>`", "![x](y)", "# a"])
def test_a_value_has_no_meaning_in_a_description(value):
    facts = FACTS._replace(attributes={"x": value})
    text = fill_markdown("**Found:** {{@x}}", facts, url="u", rule_name="r")
    html = MarkdownIt("commonmark", {"html": True}).render(text)
    assert html.startswith("<p><strong>Found:</strong> ")
    assert not any(
        tag in html.removeprefix("<p><strong>") for tag in ("<em", "<a ", "<img", "<b>", "<code")
    )


def test_the_description_stays_markdown_in_a_description():
    assert fill_markdown("# Fix\n\n{{description}}", FACTS, url="u", rule_name="r") == (
        "# Fix\n\nUpgrade **it**."
    )


def test_a_rule_may_have_its_own_summary_and_description():
    fields = {"summary": "[{{severity}}]\n{{title}}", "description": "See [here]({{url}})."}
    made = summary_and_description(fields, FACTS, url="https://fa.test/1_2", rule_name="r")
    assert made == ("[Critical] RCE in lodash", "See [here](https://fa.test/1_2).")
    assert summary_and_description({}, FACTS, url="u", rule_name="r") == (None, None)
    empty = {"summary": "{{@none}}", "description": "{{@none}}"}
    assert summary_and_description(empty, FACTS, url="u", rule_name="r") == (None, None)


def test_a_summary_is_cut():
    made = summary_and_description({"summary": "{{title}}" * 99}, FACTS, url="u", rule_name="r")
    assert len(made.summary or "") == 255


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(JSON, st.text(alphabet="{}@. tagsx\n"))
def test_what_passes_the_check_can_be_filled(attributes, text):
    try:
        check(text)
    except PlaceholderError:
        return
    facts = FACTS._replace(attributes={"x": attributes})
    assert isinstance(fill(text, facts, url="u", rule_name="r"), str | list | int | float | None)
    fill_markdown(text, facts, url="u", rule_name="r")
