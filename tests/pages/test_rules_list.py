from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from automation.kinds.registry import KINDS
from automation.kinds.ticket_creation.action import NAME
from automation.models import DailyUsage, Rule
from automation.rules import services
from automation.rules.default_rows import default_rows
from tests.factories import FindingFactory, JiraAccountFactory, UserFactory
from ticketing.models import Case

LIST = "/settings/findings-automation"


def used(rule, **numbers) -> None:
    DailyUsage.objects.create(rule_id=rule.pk, day=timezone.now().date(), **numbers)


def test_it_shows_the_rules_in_their_order(as_user, viewer, make_rule):
    make_rule("First")
    make_rule("Second")

    page = as_user(viewer).get(LIST).content.decode()

    assert page.index(">First<") < page.index(">Second<")


def test_it_shows_what_a_rule_asks_for(as_user, viewer, make_rule):
    make_rule(
        finding_types=["secret", "attack_path", "api_security"],
        query="@severity:(critical OR high) (env:prod OR env:staging)",
    )

    page = as_user(viewer).get(LIST).content.decode()

    assert "<span class=k>env:</span><span class=clip>prod</span>" in page
    assert 'class="pill critical"' in page
    assert "+2</button>" in page


def test_it_says_any_tag_and_any_severity(as_user, viewer, make_rule):
    make_rule()

    page = as_user(viewer).get(LIST).content.decode()

    assert "Any tag" in page
    assert "Any severity" in page


def test_it_shows_a_query_that_is_more_than_a_list_as_it_was_written(as_user, viewer, make_rule):
    make_rule(query="env:prod <script> team:x")

    page = as_user(viewer).get(LIST).content.decode()

    assert "env:prod &lt;script&gt; team:x" in page
    assert "<script> team" not in page


def test_it_escapes_a_rule_s_name(as_user, editor, make_rule):
    make_rule('"><img src=x onerror=alert(1)>')

    page = as_user(editor).get(LIST).content.decode()

    assert "<img src=x" not in page


def test_it_names_who_edited_a_rule(as_user, viewer, editor, make_rule):
    make_rule(actor=editor)

    assert "Edited by Edith Editor" in as_user(viewer).get(LIST).content.decode()


def test_it_shows_a_full_limit_with_the_findings_over_it(as_user, viewer, make_rule):
    rule = make_rule(max_tickets_per_day=25)
    used(rule, ticketed=25)
    FindingFactory.create_batch(
        11, ticket="over_limit", ticket_rule_id=rule.pk, decided_at=timezone.now()
    )

    page = as_user(viewer).get(LIST).content.decode()

    assert "Limit reached" in page
    assert "11 findings over limit" in page
    assert f"?from=today&amp;by=decided&amp;ticket=over_limit&amp;rule={rule.pk}" in page


def test_it_shows_why_a_rule_is_broken(as_user, editor, make_rule):
    rule = make_rule()
    services.break_rule(rule.pk, reason="Case project Cloud Risk was deleted.")

    page = as_user(editor).get(LIST).content.decode()

    assert 'data-tip="Rule auto-disabled due to a ticketing integration error"' in page
    assert "Case project Cloud Risk was deleted. Disabled" in page
    assert "Fix configuration" in page
    assert "Enable Exposed secrets. Fix the configuration first" in page


def test_it_warns_of_a_rule_that_never_acts(as_user, viewer, make_rule):
    first = make_rule("All secrets")
    make_rule("Prod secrets", query="env:prod")

    page = as_user(viewer).get(LIST).content.decode()

    assert (
        f'<a href="{LIST}?rule={first.pk}#rule-{first.pk}">rule 1</a> matches every finding' in page
    )


def test_it_shows_that_a_disabled_rule_does_not_run(as_user, viewer, editor, make_rule):
    rule = make_rule()
    services.disable_rule(rule.pk, actor=editor)

    page = as_user(viewer).get(LIST).content.decode()

    assert "Not running" in page
    assert "Disabled by Edith Editor" in page


def test_it_says_when_the_project_of_a_rule_is_gone(as_user, viewer, make_rule):
    make_rule(project_id=uuid.uuid4())

    assert "no such project" in as_user(viewer).get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=secret", {"Exposed secrets"}),
        ("q=env:prod", {"Production"}),
        ("q=grace", {"Production"}),
        ("q=exposed+prod", set()),
        ("state=disabled", {"Production"}),
        ("state=enabled", {"Exposed secrets"}),
        ("state=broken", set()),
        ("state=nonsense", {"Exposed secrets", "Production"}),
    ],
)
def test_it_finds_rules_by_words_and_state(as_user, viewer, make_rule, query, shown):
    make_rule("Exposed secrets")
    grace = UserFactory(name="Grace Hopper")
    make_rule(
        "Production",
        finding_types=["attack_path"],
        query="env:prod",
        assignee_id=grace.pk,
        enabled=False,
    )

    response = as_user(viewer).get(f"{LIST}?{query}")

    assert {row.rule.name for row in response.context["steps"][-1].rows} == shown


def test_it_offers_to_clear_a_search_without_results(as_user, viewer, make_rule):
    make_rule()

    page = as_user(viewer).get(f"{LIST}?q=<xyz>").content.decode()

    assert "No rules match “&lt;xyz&gt;”" in page


def test_it_keeps_the_order_still_while_a_filter_is_on(as_user, editor, make_rule):
    make_rule()

    page = as_user(editor).get(f"{LIST}?q=secret").content.decode()

    assert "Clear the filter to reorder" in page
    assert "Move rule" not in page


def test_it_invites_to_the_first_rule_with_templates(as_user, editor, viewer):
    page = as_user(editor).get(LIST).content.decode()
    assert "Turn new findings into tickets" in page
    assert "Start from a template" in page
    assert "Search rules" not in page

    assert "Create your first rule" not in as_user(viewer).get(LIST).content.decode()


def test_it_gives_a_viewer_nothing_to_change(as_user, viewer, make_rule):
    make_rule()

    page = as_user(viewer).get(LIST).content.decode()

    for control in ("Add a New Rule", "Move rule", "Duplicate", "Delete", "data-reorder"):
        assert control not in page


def test_it_asks_strangers_to_sign_in(client, db):
    response = client.get(LIST)

    assert response.status_code == 302
    assert response.url.startswith("/login?next=")


def test_it_refuses_to_be_posted_to(as_user, editor):
    assert as_user(editor).post(LIST).status_code == 405


@pytest.mark.parametrize("path", [LIST, "/rules/live"])
def test_it_costs_the_same_for_few_and_many_rules(
    as_user, viewer, make_rule, path, django_assert_max_num_queries
):
    def cost() -> int:
        with django_assert_max_num_queries(20) as statements:
            browser.get(path)
        return len(statements)

    browser = as_user(viewer)
    grace = UserFactory()
    make_rule("Rule 0", query="env:prod", assignee_id=grace.pk)
    browser.get(path)
    few = cost()
    for number in range(1, 30):
        used(make_rule(f"Rule {number}", query="env:prod", assignee_id=grace.pk), ticketed=1)
    assert cost() == few


def test_it_keeps_what_changes_by_itself_fresh(as_user, viewer, make_rule):
    rule = make_rule()
    used(rule, ticketed=3)

    live = f"/rules/live?versions={NAME}:{services.current_version(NAME)}"
    page = as_user(viewer).get(live).content.decode()

    assert f'hx-swap-oob="innerHTML:#rule-{rule.pk} .limit"' in page
    assert "<b>3</b> / 10 today" in page
    assert f'id="rules-{NAME}"' not in page


@pytest.mark.parametrize("version", ["", f"{NAME}:0", "nonsense"])
def test_it_brings_the_whole_list_when_the_rules_have_changed(as_user, viewer, make_rule, version):
    make_rule()

    page = as_user(viewer).get(f"/rules/live?versions={version}").content.decode()

    assert f'id="rules-{NAME}" hx-swap-oob="true"' in page


def test_it_shows_the_day_a_rule_was_edited(as_user, viewer, make_rule):
    rule = make_rule()
    Rule.objects.filter(pk=rule.pk).update(modified_at=timezone.now() - timedelta(days=3))

    assert "3 d ago" in as_user(viewer).get(LIST).content.decode()


def test_it_links_to_the_last_ticket(as_user, viewer, make_rule, project):
    rule = make_rule()
    case = Case.objects.create(
        project=project, number=7, key="RISK-7", title="T", origin="rule", rule_id=rule.pk
    )
    used(rule, ticketed=1, last_case_id=case.pk, last_ticket_at=timezone.now())

    page = as_user(viewer).get(LIST).content.decode()

    assert "<a href=/cases/RISK-7>RISK-7</a>" in page


def test_it_folds_the_step_and_says_so_in_the_address(as_user, viewer, make_rule):
    make_rule("Kept")

    opened = as_user(viewer).get(LIST).text
    folded = as_user(viewer).get(f"{LIST}?opened-sections=none&q=kept").text

    toggle = "value={} data-slug=create_ticket aria-expanded={}"
    assert toggle.format("none", "true") in opened
    assert toggle.format("create_ticket", "false") in folded
    assert f"id=rules-{NAME} hidden" in folded
    assert "<input type=hidden name=opened-sections value=none>" in folded  # a search keeps it
    assert "<input type=hidden name=q value=kept>" in folded


def test_it_offers_to_connect_jira_to_whom_may_and_while_nobody_has(as_user, admin, editor):
    link = "href=/settings/integrations/jira/new>Connect Jira</a>"
    assert link in as_user(admin).get(LIST).text
    assert link not in as_user(editor).get(LIST).text
    JiraAccountFactory()
    assert link not in as_user(admin).get(LIST).text


def test_it_leads_from_a_rule_to_its_test(as_user, editor, viewer, make_rule):
    rule = make_rule()
    menu = f"/rules/{rule.pk}/menu"
    link = f'href="{LIST}/{rule.pk}/edit#test-rule"'
    assert menu in as_user(viewer).get(LIST).text
    assert link in as_user(editor).get(menu).text
    assert link not in as_user(viewer).get(menu).text


def test_default_rules_can_only_be_switched(as_user, editor, viewer):
    browser = as_user(editor)
    page = browser.get(LIST).content.decode()
    assert "0 of 8 on" in page
    kind = KINDS["inbox"]
    shown = f"rule-{kind.defaults[0].id}"
    assert shown not in page
    assert shown in browser.get(f"{LIST}?defaults=inbox").text
    assert shown in browser.get("/rules/inbox/defaults", headers={"HX-Request": "true"}).text
    assert browser.get("/rules/nonsense/defaults").status_code == 404
    address = f"/rules/inbox/defaults/{kind.defaults[0].id}/toggle"
    changed = browser.post(address, {"enabled": "on"}, headers={"HX-Request": "true"}).text
    assert "1 of 8 on" in changed
    assert kind.defaults[0].name in changed
    assert [row.spec.enabled for row in default_rows(kind)].count(True) == 1
    assert browser.post(address).status_code == 302
    assert not any(row.spec.enabled for row in default_rows(kind))
    assert browser.post("/rules/inbox/defaults/nonsense/toggle").status_code == 404
    assert browser.post("/rules/nonsense/defaults/x/toggle").status_code == 404
    assert as_user(viewer).post(address).status_code == 403
