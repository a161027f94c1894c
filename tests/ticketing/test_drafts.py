from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt

from findings.facts import Facts
from ticketing.drafts import code, finding_draft, findings_draft, limit_notice_draft, plain

FACTS = Facts(
    finding_type="library_vulnerability",
    severity="critical",
    title="RCE in lodash",
    description="Upgrade it.",
    resource_id="repo:acme/web",
    tags=("env:prod", "team:web"),
    attributes={
        "advisory": {"cve": "CVE-2021-23337"},
        "package": {"name": "lodash", "version": "4.17.20", "fixed_version": "4.17.21"},
    },
    first_seen_at=datetime(2026, 11, 23, 8, 38, tzinfo=UTC),
)


def draft(**fields):
    return finding_draft(FACTS._replace(**fields), url="https://fa.test/f/1", made_by="By rule X.")


def test_it_says_what_where_and_what_to_do():
    made = draft()
    assert (made.title, made.priority) == ("RCE in lodash (repo:acme/web)", "P1")
    for part in (
        "Upgrade it.",
        "**Severity:** Critical",
        "`CVE-2021-23337`",
        "`lodash 4.17.20`",
        "`4.17.21`",
        "2026-11-23 08:38 UTC",
        "[Open the finding](https://fa.test/f/1)",
        "By rule X.",
    ):
        assert part in made.description


def test_it_leaves_out_what_is_not_known():
    made = draft(attributes={}, tags=(), description="", first_seen_at=None, resource_id="")
    assert made.title == "RCE in lodash"
    assert "Package" not in made.description
    assert "Resource" not in made.description


@pytest.mark.parametrize("value", ["`", "``", "a`b``c", "*x* [l](u)", "line\nbreak"])
def test_a_quoted_value_cannot_break_out(value):
    [token] = MarkdownIt().parseInline(code(value))[0].children
    assert token.type == "code_inline"
    assert token.content.strip() == " ".join(value.split())


def test_plain_text_has_no_meaning():
    html = MarkdownIt().render(plain("# <b> *x* [a](javascript:b) ![c](d) `e`"))
    assert "<b>" not in html
    assert not any(tag in html for tag in ("<em", "<a ", "<img", "<code", "<h1"))


def test_it_cuts_a_long_title():
    made = draft(title="x" * 1000)
    assert len(made.title) == 255
    assert made.title.endswith("…")


def test_several_findings_are_as_serious_as_the_worst():
    low = FACTS._replace(severity="low", title="Typo")
    made = findings_draft([low, FACTS], urls=["u/1", "u/2"], made_by="By Ada.")
    assert (made.title, made.priority) == ("2 findings: RCE in lodash", "P1")
    assert "- Low: [Typo](u/1)" in made.description


def test_strange_attributes_are_left_out():
    made = draft(attributes={"advisory": "CVE", "package": {"name": {"a": 1}, "version": []}})
    assert "Advisory" not in made.description
    assert "Package" not in made.description


def test_the_limit_notice_links_to_the_rule_and_what_is_over():
    made = limit_notice_draft(
        rule_name="Loud *scanner*",
        limit=25,
        reset=datetime(2026, 11, 24, tzinfo=UTC),
        rule_url="https://fa.test/rule",
        over_limit_url="https://fa.test/over",
    )
    assert "Loud *scanner*" in made.title
    assert r"[Loud \*scanner\*](https://fa.test/rule)" in made.description
    assert "(https://fa.test/over)" in made.description


@pytest.mark.parametrize(
    "description",
    ["```python\nx = 1", "~~~\nopen", "a\n\n````\n```\nstill open", "```\nx\n```", "- a\n- list"],
)
def test_what_a_scanner_wrote_does_not_swallow_what_we_write(description):
    html = MarkdownIt().render(draft(description=description).description)
    assert '<a href="https://fa.test/f/1">Open the finding</a>' in html
    assert "<p><strong>Finding</strong></p>\n<ul>\n<li><strong>Severity:" in html
