"""Rules in the admin: dragged, switched, never edited by hand."""

from __future__ import annotations

import pytest
from django.urls import reverse

from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule, RuleSetVersion
from automation.rules.data import RuleData, action_of
from automation.rules.services import create_rule, current_version, reorder
from tests.factories import ProjectFactory, ticket_rule

pytestmark = pytest.mark.django_db
LIST = "/admin/automation/rule/"


@pytest.fixture
def rules(admin):
    project = ProjectFactory()
    data = {"finding_types": ["secret"], "project_id": project.id, "max_tickets_per_day": 5}
    return [create_rule(ticket_rule(name=name, **data), actor=admin) for name in "ABCDE"]


@pytest.fixture
def as_admin(as_user, admin):
    return as_user(admin)


def order() -> str:
    return "".join(Rule.objects.values_list("name", flat=True))


def save(as_admin, rules, *, version=None, query="", **changed):
    """Save the list with these rules from top to bottom, as dragging leaves the form."""
    form = {"_save": "Save", "form-TOTAL_FORMS": len(rules), "form-INITIAL_FORMS": len(rules)}
    form["version"] = current_version(NAME) if version is None else version
    shown = Rule.objects.filter(pk__in=[rule.pk for rule in rules])
    for n, rule in enumerate(shown):
        form |= {f"form-{n}-id": rule.pk, f"form-{n}-position": rules.index(rule)}
    return as_admin.post(LIST + query, form | changed, follow=True)


def test_it_stores_a_dragged_order_as_one_change(as_admin, rules, admin):
    a, b, c, d, e = rules
    before = RuleSetVersion.objects.count()
    page = save(as_admin, [e, a, b, c, d])
    assert order() == "EABCD"
    assert "Order saved." in page.content.decode()
    assert RuleSetVersion.objects.count() == before + 1
    assert RuleSetVersion.objects.first().created_by == admin


def test_it_changes_nothing_when_nothing_moved(as_admin, rules):
    version = current_version(NAME)
    save(as_admin, rules)
    assert current_version(NAME) == version


def test_it_carries_the_version_in_the_form(as_admin, rules):
    page = as_admin.get(LIST).content.decode()
    assert f'<input type="hidden" name="version" value="{current_version(NAME)}">' in page
    assert 'data-ordering-field="position"' in page


def test_it_refuses_an_order_that_somebody_else_changed(as_admin, rules, editor):
    a, b, c, d, e = rules
    seen = current_version(NAME)
    reorder(NAME, [b.pk, a.pk, c.pk, d.pk, e.pk], version=None, actor=editor)
    page = save(as_admin, [e, a, b, c, d], version=seen)
    assert order() == "BACDE"
    text = page.content.decode()
    assert "Order not saved. Edith Editor changed this at" in text


def test_it_refuses_an_order_without_a_rule_made_since(as_admin, rules, editor):
    seen = current_version(NAME)
    data = ticket_rule(
        name="F",
        finding_types=["secret"],
        project_id=action_of(rules[0]).project_id,
        max_tickets_per_day=1,
    )
    create_rule(data, actor=editor)
    save(as_admin, rules[::-1], version=seen)
    assert order() == "ABCDEF"


def test_it_moves_what_a_filter_shows_among_its_own_places(as_admin, rules):
    a, _, c, _, e = rules
    save(as_admin, [e, c, a], query="?q=x")
    assert order() == "EBCDA"


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "x"},
        {"version": ""},
        {"form-TOTAL_FORMS": "-"},
        {"form-TOTAL_FORMS": "9"},
        {"form-0-id": "x"},
        {"form-1-position": "\0"},
    ],
)
def test_it_refuses_a_broken_form(as_admin, rules, changed):
    assert save(as_admin, rules[::-1], **changed).status_code == 400
    assert order() == "ABCDE"


def test_it_refuses_the_same_rule_twice(as_admin, rules):
    answer = save(as_admin, rules[::-1], **{"form-0-id": str(rules[1].pk)})
    assert answer.status_code == 400
    assert order() == "ABCDE"


def test_it_refuses_a_version_from_the_future(as_admin, rules):
    save(as_admin, rules[::-1], version=current_version(NAME) + 5)
    assert order() == "ABCDE"


def test_it_switches_many_rules_as_one_change(as_admin, rules, admin):
    before = RuleSetVersion.objects.count()
    chosen = [rule.pk for rule in rules]
    as_admin.post(LIST, {"action": "disable", "_selected_action": chosen})
    assert not Rule.objects.filter(enabled=True).exists()
    assert RuleSetVersion.objects.count() == before + 1
    assert Rule.history.filter(history_change_reason="disabled", history_user=admin).count() == 5


@pytest.mark.parametrize(("action", "enabled"), [("disable", False), ("enable", True)])
def test_it_switches_rules_through_the_service(as_admin, rules, action, enabled):
    Rule.objects.filter(name="B").update(enabled=not enabled)
    as_admin.post(LIST, {"action": action, "_selected_action": [str(rules[1].pk)]})
    rule = Rule.objects.get(name="B")
    assert rule.enabled is enabled
    assert rule.history.first().history_user.name == "Ada Admin"


def test_it_leads_to_the_editor_instead_of_a_second_one(as_admin, rules):
    page = as_admin.get(LIST).content.decode()
    assert reverse("automation:rule-edit", args=[rules[0].pk]) in page
    assert as_admin.get(LIST + "new/")["Location"] == reverse("automation:rule-create")
    assert as_admin.get(f"{LIST}add/").status_code == 403


def test_it_shows_the_history_of_a_rule(as_admin, rules):
    page = as_admin.get(f"{LIST}{rules[0].pk}/history/")
    assert page.status_code == 200
    assert "Ada Admin" in page.content.decode()


@pytest.mark.parametrize("path", ["automation/rule/nonsense", "ticketing/destination/nonsense"])
def test_it_has_no_history_of_an_id_that_cannot_be(as_admin, path):
    for page in ("", "1/", "nonsense/"):
        assert as_admin.get(f"/admin/{path}/history/{page}").status_code == 404


def test_it_orders_one_kind_at_a_time(as_admin, rules, admin):
    muting = [
        create_rule(
            RuleData(name=name, finding_types=["secret"], action=MuteFinding(reason=Reason.OTHER)),
            actor=admin,
        )
        for name in "XY"
    ]
    page = as_admin.get(f"{LIST}?kind=mute")
    assert [row.name for row in page.context["cl"].result_list] == ["X", "Y"]
    save(as_admin, muting[::-1], query="?kind=mute", version=current_version("mute"))
    assert list(Rule.objects.filter(kind="mute").values_list("name", flat=True)) == ["Y", "X"]
    assert "".join(Rule.objects.filter(kind=NAME).values_list("name", flat=True)) == "ABCDE"
