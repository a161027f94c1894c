from __future__ import annotations

import pytest

from automation.models import Rule
from automation.rules import services
from automation.rules.data import action_of
from tests.factories import JiraAccountFactory, ProjectFactory, UserFactory

LIST = "/settings/findings-automation"
API_QUERIES = [
    "",
    "env:prod",
    "@severity:(high OR critical) env:prod",
    "env:prod @severity:critical",
    "@severity:high @severity:low",
    "@severity:high OR env:prod",
    "-@severity:low",
    "@severity:(none OR unknown)",
    "  env:prod   OR team:x ",
    "(env:prod\nOR team:x)",
    "payments",
    "@severity:HIGH env:prod",
    '(-@finding_type:host_and_container_vulnerability OR @resource_type:container_image) "a b"',
]


def as_shown(response) -> dict[str, object]:
    """What a browser would send back of the page's form."""
    form = response.context["form"]
    said = {name: form[name].value() for name in form.fields}
    said["query"] = (said["query"] or "").replace("\n", "\r\n")  # as browsers do
    return {name: "" if value is None else value for name, value in said.items()}


@pytest.mark.parametrize("query", API_QUERIES)
def test_it_leaves_a_query_as_it_was_written(as_user, editor, make_rule, query):
    rule = make_rule(query=query)
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"

    response = browser.post(edit, as_shown(browser.get(edit)) | {"name": "Renamed"})

    assert response.status_code == 302
    rule.refresh_from_db()
    assert (rule.name, rule.query) == ("Renamed", query)


def test_it_shows_severities_beyond_the_five_only_where_they_are_used(as_user, editor, make_rule):
    plain, odd = make_rule("Plain"), make_rule("Odd", query="@severity:(none OR high)")
    browser = as_user(editor)

    assert 'value="none"' not in browser.get(f"{LIST}/{plain.pk}/edit").content.decode()
    assert 'value="none" checked' in browser.get(f"{LIST}/{odd.pk}/edit").content.decode()


def test_it_keeps_the_assignee_who_has_left(as_user, editor, make_rule):
    gone = UserFactory(is_active=False)
    rule = make_rule(assignee_id=gone.pk)
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"

    browser.post(edit, as_shown(browser.get(edit)))

    rule.refresh_from_db()
    assert action_of(rule).assignee_id == gone.pk


def test_it_offers_only_active_people(as_user, editor):
    UserFactory(name="Gone Girl", is_active=False)

    page = as_user(editor).get(f"{LIST}/create_ticket/new").content.decode()

    assert "Gone Girl" not in page
    assert "Edith Editor</option>" in page


def test_it_keeps_a_disabled_rule_disabled(as_user, editor, make_rule):
    rule = make_rule(enabled=False)
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"

    browser.post(edit, as_shown(browser.get(edit)))

    rule.refresh_from_db()
    assert not rule.enabled


def test_it_lets_a_repaired_rule_run_again(as_user, editor, make_rule):
    rule = make_rule()
    services.break_rule(rule.pk, reason="Case project Cloud Risk was deleted.")
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"
    shown = browser.get(edit)
    assert "Case project Cloud Risk was deleted." in shown.content.decode()

    browser.post(edit, as_shown(shown) | {"project": str(ProjectFactory().pk)})

    rule.refresh_from_db()
    assert rule.enabled
    assert not rule.is_broken


def test_it_does_not_overwrite_what_somebody_else_saved(as_user, editor, admin, make_rule):
    rule = make_rule()
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"
    mine = as_shown(browser.get(edit)) | {"name": "Mine"}
    services.disable_rule(rule.pk, actor=admin)

    response = browser.post(edit, mine)

    assert response.status_code == 409
    page = response.content.decode()
    assert "Ada Admin changed this rule at" in page
    assert 'value="Mine"' in page
    rule.refresh_from_db()
    assert rule.name == "Exposed secrets"


def test_it_overwrites_it_when_told_again(as_user, editor, admin, make_rule):
    rule = make_rule(finding_types=["secret", "attack_path"])
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"
    mine = as_shown(browser.get(edit)) | {"name": "Mine"}
    services.disable_rule(rule.pk, actor=admin)

    again = as_shown(browser.post(edit, mine))

    assert browser.post(edit, again).status_code == 302
    rule.refresh_from_db()
    assert rule.name == "Mine"
    assert rule.finding_types == ["secret", "attack_path"]


@pytest.mark.parametrize("seen", ["nonsense", "2026-13-45", "2026-01-01T00:00:00"])
def test_it_takes_a_malformed_version_for_an_old_one(as_user, editor, make_rule, seen):
    rule = make_rule()
    browser = as_user(editor)
    edit = f"{LIST}/{rule.pk}/edit"

    response = browser.post(edit, as_shown(browser.get(edit)) | {"name": "Mine", "seen": seen})

    assert response.status_code == 409
    assert Rule.objects.get().name == "Exposed secrets"


def test_it_shows_a_viewer_the_rule_without_a_way_to_change_it(as_user, viewer, make_rule):
    rule = make_rule()
    browser = as_user(viewer)

    response = browser.get(f"{LIST}/{rule.pk}/edit")

    page = response.content.decode()
    assert "Exposed secrets" in page
    assert '<fieldset class="stack" disabled>' in page
    assert "action-bar" not in page
    assert browser.post(f"{LIST}/{rule.pk}/edit", as_shown(response)).status_code == 403


@pytest.mark.parametrize("rules", [1, 25])
def test_it_costs_the_same_however_many_rules_there_are(
    as_user, editor, make_rule, rules, django_assert_max_num_queries
):
    made = [make_rule(f"Rule {number}") for number in range(rules)]
    browser = as_user(editor)

    with django_assert_max_num_queries(12):
        browser.get(f"{LIST}/{made[-1].pk}/edit")


def test_it_does_not_ask_jira_for_a_rule_that_opens_cases(as_user, editor, make_rule):
    """Asked for a destination that is not shown, the answer asked again, without end."""
    JiraAccountFactory()
    rule, browser = make_rule(), as_user(editor)

    page = browser.get(f"{LIST}/{rule.pk}/edit")
    answer = browser.post(
        "/rules/destination",
        as_shown(page) | {"rule": str(rule.pk)},
        headers={"HX-Request": "true"},
    )

    assert 'hx-trigger="load"' not in page.text
    assert 'hx-trigger="load"' not in answer.text
