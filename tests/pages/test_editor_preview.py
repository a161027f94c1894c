from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.rules import services
from tests.factories import FindingFactory

HTMX = {"HX-Request": "true"}


def found(number=1, *, days_ago=1, **said) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    for _ in range(number):
        FindingFactory(**{"finding_type": "secret", "opened_at": at, "first_seen_at": at} | said)


def preview(browser, **said) -> str:
    form = {"name": "New", "types": ["secret"], "query": "", "limit": "5", **said}
    response = browser.post("/rules/preview", form, headers=HTMX)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_it_counts_what_the_rule_would_do(as_user, editor, make_rule):
    make_rule("First", query="env:prod")
    found(8, tags=["env:dev"])
    found(2, tags=["env:prod"])

    page = preview(as_user(editor))

    assert '<b class="preview-number">10</b>' in page
    assert "<b>5</b> would be ticketed" in page
    assert "<b>2</b> taken by" in page
    assert "<b>3</b> over the daily limit" in page
    assert "peak 8" in page
    assert "at most 8 on one day, limit 5" in page


def test_it_says_that_what_matches_would_not_come_to_it(as_user, editor, make_rule):
    make_rule("First")
    found()
    page = preview(as_user(editor))
    assert "1</b> of the findings seen in the last 30 days matches" in page
    assert "No match in the last 30 days" not in page
    assert "no finding would have come to this rule" in page


def test_it_places_a_rule_where_it_stands(as_user, editor, make_rule):
    first = make_rule("First")
    make_rule("Second")
    found()

    page = preview(as_user(editor), rule=str(first.pk))

    assert "<b>1</b> would be ticketed" in page
    assert "taken by" not in page


def test_it_shows_the_ticket_as_it_will_be(as_user, editor, project):
    found(title="Key <b>in</b> code", severity="critical", resource_name="acme/web")

    page = preview(as_user(editor), project=str(project.pk), assignee=str(editor.pk))

    assert "Key &lt;b&gt;in&lt;/b&gt; code (acme/web)" in page
    assert "RISK-••••" in page
    assert "Created by the rule “New”." in page
    assert "P1" in page


def test_it_links_to_all_matches_in_the_explorer(as_user, editor):
    found(tags=["env:prod"])

    page = preview(as_user(editor), query="env:prod OR team:x")

    assert "q=%40finding_type%3A%28secret%29+%28env%3Aprod+OR+team%3Ax%29" in page


def test_it_says_when_nothing_matches(as_user, editor):
    assert "findings match. The rule will wait for new ones." in preview(as_user(editor))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"types": []}, "Select at least one finding type to see"),
        ({"query": "(env:prod"}, "Fix the marked fields to see"),
        ({"limit": "0"}, "Fix the marked fields to see"),
    ],
)
def test_it_has_nothing_to_show_for_a_wrong_form(as_user, editor, said, sentence):
    page = preview(as_user(editor), **said)

    assert "Nothing to preview yet" in page
    assert sentence in page


def test_it_warns_of_a_rule_that_would_never_act(as_user, editor, make_rule):
    make_rule("All secrets")

    page = preview(as_user(editor), query="env:prod")

    assert "Rule 1</a> matches everything this rule would match. <button" in page
    assert ">Move this rule above it</button>." in page


def test_it_shows_the_editor_as_typed_without_scripts(as_user, editor):
    found(3)
    said = {"name": "", "types": ["secret"], "query": "", "limit": "5", "project": ""}

    response = as_user(editor).post("/rules/preview", said)

    page = response.content.decode()
    assert '<b class="preview-number">3</b>' in page
    assert 'value="5"' in page
    assert "Enter a rule name." not in page


def test_it_changes_nothing(as_user, editor):
    found()

    preview(as_user(editor))

    assert services.current_version(NAME) == 0
    assert not Rule.objects.exists()


def test_it_is_asked_by_post_only(as_user, editor):
    assert as_user(editor).get("/rules/preview").status_code == 405


@pytest.mark.parametrize("rule", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_it_takes_an_unknown_rule_for_a_new_one(as_user, editor, rule):
    found()

    assert "<b>1</b> would be ticketed" in preview(as_user(editor), rule=rule)


def test_it_writes_the_cves_of_a_finding_as_people_do(as_user, editor):
    found(attributes={"advisory": {"cve": ["CVE-2024-6387", "CVE-2024-3094"]}}, resource_name="api")

    assert "CVE-2024-6387, CVE-2024-3094 · api" in preview(as_user(editor))
