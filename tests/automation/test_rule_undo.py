"""Deleted rules come back where they were, and rules say again what they said."""

from __future__ import annotations

import uuid

import pytest

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.rules import services
from automation.rules.data import InvalidRule
from automation.rules.restore import RuleIsThere, restore_deleted, restore_version
from automation.rules.versions import latest_version
from automation.undo import DELETE, EDIT, recorded
from config.accounts.models import Act
from config.accounts.undo.registry import CannotUndo
from config.accounts.undo.service import undo
from tests.factories import UserFactory, ticket_rule
from tests.together import done_by_two_at_once

pytestmark = pytest.mark.django_db
COLUMNS = [f.attname for f in Rule._meta.concrete_fields if not f.name.startswith("modified")]


def data(**fields):
    said = {
        "name": "Libraries",
        "finding_types": ["library_vulnerability"],
        "project_id": uuid.UUID(int=1),
        "max_tickets_per_day": 10,
    }
    return ticket_rule(**said | fields)


@pytest.fixture
def rules(editor):
    return {name: services.create_rule(data(name=name), actor=editor) for name in "ABCD"}


def order() -> str:
    return "".join(Rule.objects.values_list("name", flat=True))


def columns() -> list[dict[str, object]]:
    return list(Rule.objects.values(*COLUMNS))


def deleted(rule: Rule, *, actor) -> Act:
    with recorded(DELETE, rule, actor=actor) as recording:
        services.delete_rule(rule.pk, actor=actor)
    assert recording.act is not None
    return recording.act


def edited(rule: Rule, *, actor, **fields) -> Act:
    with recorded(EDIT, rule, actor=actor) as recording:
        services.edit_rule(rule.pk, data(**{"name": rule.name} | fields), actor=actor)
    assert recording.act is not None
    return recording.act


@pytest.mark.parametrize("name", "ABCD")
@pytest.mark.parametrize("state", ["on", "off", "broken"])
def test_a_deleted_rule_comes_back_with_id_position_and_state(rules, editor, name, state):
    rule = rules[name]
    if state == "off":
        services.disable_rule(rule.pk, actor=editor)
    elif state == "broken":
        services.break_rule(rule.pk, reason="The space is gone.")
    before, number = columns(), "ABCD".index(name) + 1
    act = deleted(rule, actor=editor)

    outcome = undo(act.pk, actor=editor)

    assert columns() == before
    words = {"on": "enabled", "off": "disabled", "broken": "broken"}[state]
    assert outcome.title == f"Rule {name} restored"
    assert outcome.text.startswith(f"At position {number} of 4, {words}. Findings that came")
    row = Rule.history.filter(id=rule.pk).latest("history_id")
    assert (row.history_type, row.history_change_reason, row.history_user) == (
        "+",
        "restored",
        editor,
    )
    latest = latest_version(NAME)
    assert [each["name"] for each in latest.rules] == list("ABCD")


@pytest.mark.parametrize(
    ("since", "wanted", "warned"),
    [
        ("nothing", "ABCD", False),
        ("added", "ABCDE", False),
        ("deleted before", "BCD", False),
        ("reordered", "DABC", True),
    ],
)
def test_it_finds_its_place_among_those_that_are_there_now(rules, editor, since, wanted, warned):
    deleted(rules["B"], actor=editor)
    tomasz = UserFactory(name="Tomasz Kowal")
    if since == "added":
        services.create_rule(data(name="E"), actor=editor)
    elif since == "deleted before":
        services.delete_rule(rules["A"].pk, actor=editor)
    elif since == "reordered":
        services.reorder(NAME, [rules[name].pk for name in "DAC"], actor=tomasz)
        services.edit_rule(rules["A"].pk, data(name="A", query="team:a"), actor=editor)

    restored = restore_deleted(rules["B"].pk, actor=editor)

    assert order() == wanted
    assert restored.number == wanted.index("B") + 1
    assert restored.order_changed_by == ("Tomasz Kowal" if warned else "")


def test_it_refuses_a_name_that_is_taken_and_changes_nothing(rules, editor):
    act = deleted(rules["B"], actor=editor)
    services.create_rule(data(name="b"), actor=editor)
    before = columns()

    with pytest.raises(CannotUndo, match="Another rule is already called “B”"):
        undo(act.pk, actor=editor)

    assert columns() == before
    assert Act.objects.get().undone_at is None


def test_it_brings_a_rule_back_once(rules, editor):
    act = deleted(rules["B"], actor=editor)
    restore_deleted(rules["B"].pk, actor=editor)
    with pytest.raises(RuleIsThere):
        restore_deleted(rules["B"].pk, actor=editor)
    outcome = undo(act.pk, actor=editor)
    [later] = outcome.left.values()
    assert later.sentence() == "Edith Editor restored it just now."
    with pytest.raises(Rule.DoesNotExist):
        restore_deleted(uuid.uuid4(), actor=editor)


@pytest.mark.parametrize("was_broken", [False, True])
def test_an_edit_is_undone(rules, editor, was_broken):
    rule = rules["C"]
    if was_broken:
        services.break_rule(rule.pk, reason="The space is gone.")
    before = columns()
    act = edited(rule, actor=editor, name="Other", query="team:web", group_by=["package"])

    outcome = undo(act.pk, actor=editor)

    assert columns() == before
    assert (outcome.title, outcome.text) == ("Edit undone", "C is as it was.")


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("edited", "Tomasz Kowal changed it just now."),
        ("switched", "Tomasz Kowal changed it just now."),
        ("deleted", "Tomasz Kowal deleted it just now."),
    ],
)
def test_an_edit_is_not_undone_over_another(rules, editor, since, why):
    rule = rules["C"]
    act = edited(rule, actor=editor, query="team:web")
    tomasz = UserFactory(name="Tomasz Kowal")
    if since == "edited":
        services.edit_rule(rule.pk, data(name="C", query="team:x"), actor=tomasz)
    elif since == "switched":
        services.disable_rule(rule.pk, actor=tomasz)
    else:
        services.delete_rule(rule.pk, actor=tomasz)
    before = columns()

    outcome = undo(act.pk, actor=editor)

    assert columns() == before
    assert [later.sentence() for later in outcome.left.values()] == [why]


def test_it_restores_a_version_and_leaves_the_switch_alone(rules, editor):
    rule = rules["A"]
    first = Rule.history.filter(id=rule.pk).latest("history_id").history_id
    edited(rule, actor=editor, name="Other", query="team:web")
    services.disable_rule(rule.pk, actor=editor)

    restored = restore_version(rule.pk, first, actor=editor)

    assert (restored.name, restored.query, restored.enabled) == ("A", None, False)
    row = Rule.history.filter(id=rule.pk).latest("history_id")
    assert row.history_change_reason == "restored"


def test_it_restores_no_version_that_it_may_not(rules, editor):
    of_b = Rule.history.filter(id=rules["B"].pk).latest("history_id").history_id
    edited(rules["B"], actor=editor, name="Other")
    services.create_rule(data(name="B"), actor=editor)
    with pytest.raises(InvalidRule, match="Another rule is already called “B”"):
        restore_version(rules["B"].pk, of_b, actor=editor)
    with pytest.raises(Rule.DoesNotExist):
        restore_version(rules["A"].pk, of_b, actor=editor)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_restore_one_does(rules, editor):
    pk = rules["B"].pk
    services.delete_rule(pk, actor=editor)
    outcomes = done_by_two_at_once(lambda: restore_deleted(pk, actor=editor), RuleIsThere)
    assert outcomes == ["RuleIsThere", "done"]
    assert order() == "ABCD"
