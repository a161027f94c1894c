"""Changing rules: order, versions, history, lost updates."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from automation import services
from automation.models import Rule, RuleCheck, RuleSetVersion
from automation.rule_data import InvalidRule, RuleData
from automation.services import InvalidOrder, RulesChanged
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db


def data(**fields):
    return RuleData(
        **{
            "name": "Libraries",
            "finding_types": ["library_vulnerability"],
            "project_id": uuid.UUID(int=1),
            "max_tickets_per_day": 10,
        }
        | fields
    )


@pytest.fixture
def rules(editor):
    return [services.create_rule(data(name=name), actor=editor) for name in "ABC"]


def order():
    return "".join(Rule.objects.values_list("name", flat=True))


def ids(names):
    by_name = dict(Rule.objects.values_list("name", "pk"))
    return [by_name[name] for name in names]


def test_it_appends_a_rule_and_writes_a_version(editor):
    rule = services.create_rule(data(), actor=editor)
    version = RuleSetVersion.objects.get()
    assert (version.version, version.created_by) == (1, editor)
    assert version.rules[0]["id"] == str(rule.pk)
    assert (rule.created_by, rule.modified_by, rule.created_at) == (
        editor,
        editor,
        rule.modified_at,
    )


@pytest.mark.parametrize("wanted", ["ABC", "ACB", "BAC", "BCA", "CAB", "CBA"])
def test_it_puts_rules_in_any_order(rules, editor, wanted):
    services.reorder(ids(wanted), actor=editor)
    assert order() == wanted
    newest = RuleSetVersion.objects.first()
    assert [rule["name"] for rule in newest.rules] == list(wanted)


def test_the_same_order_is_no_change(rules, editor):
    version = services.current_version()
    assert services.reorder(ids("ABC"), version=version, actor=editor) == version
    assert RuleSetVersion.objects.count() == 3


def test_a_new_rule_is_last_also_after_a_reorder(rules, editor):
    services.reorder(ids("CBA"), actor=editor)
    services.create_rule(data(name="D"), actor=editor)
    assert order() == "CBAD"


@pytest.mark.parametrize(("to", "wanted"), [(0, "CAB"), (1, "ACB"), (2, "ABC"), (99, "ABC")])
def test_it_moves_one_rule(rules, editor, to, wanted):
    services.move_rule(rules[2].pk, to=to, actor=editor)
    assert order() == wanted


def test_it_refuses_an_order_that_somebody_else_changed(rules, editor, admin):
    seen = services.current_version()
    services.reorder(ids("BAC"), version=seen, actor=admin)
    with pytest.raises(RulesChanged) as error:
        services.reorder(ids("CBA"), version=seen, actor=editor)
    assert error.value.by == admin
    assert order() == "BAC"


def test_another_kind_of_change_does_not_stand_in_the_way(rules, editor, admin):
    seen = services.current_version()
    services.disable_rule(rules[0].pk, actor=admin)
    services.reorder(ids("CBA"), version=seen, actor=editor)
    assert order() == "CBA"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda i: i[:2], "reorder must include all 3 rules, got 2"),
        (lambda i: [i[0], i[0], i[1]], "reorder must include each rule once"),
        (lambda i: [i[0], i[1], uuid.UUID(int=9)], "does not exist"),
    ],
)
def test_it_refuses_an_order_that_is_not_all_rules_once(rules, editor, wrong, sentence):
    with pytest.raises(InvalidOrder, match=sentence):
        services.reorder(wrong(ids("ABC")), actor=editor)
    assert order() == "ABC"


def test_every_move_is_in_the_history_with_its_actor(rules, editor, admin):
    services.reorder(ids("BAC"), actor=admin)
    moved = [rule for rule in rules if rule.history.filter(history_change_reason="moved")]
    assert [rule.name for rule in moved] == ["A", "B"]
    assert moved[0].history.first().history_user == admin


def test_it_refuses_a_lost_update_of_one_rule(rules, editor, admin):
    seen = rules[0].modified_at
    services.edit_rule(rules[0].pk, data(name="A2"), actor=admin, seen=seen)
    with pytest.raises(RulesChanged) as error:
        services.edit_rule(rules[0].pk, data(name="A3"), actor=editor, seen=seen)
    assert error.value.by == admin
    assert order() == "A2BC"


def test_switching_twice_is_one_version(rules, editor):
    for _ in range(2):
        services.disable_rule(rules[0].pk, actor=editor)
    assert services.current_version() == 4


def test_the_copy_is_disabled_and_below(rules, editor):
    services.duplicate_rule(rules[0].pk, actor=editor)
    assert list(Rule.objects.values_list("name", "enabled"))[:2] == [
        ("A", True),
        ("A (copy)", False),
    ]


def test_deleting_writes_a_version_and_history(rules, editor):
    services.delete_rule(rules[0].pk, actor=editor)
    assert len(RuleSetVersion.objects.first().rules) == 2
    assert Rule.history.filter(history_type="-").get().history_user == editor


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 256),
        ("finding_types", []),
        ("finding_types", ["sensitive_data"]),
        ("max_tickets_per_day", 0),
        ("max_tickets_per_day", 501),
        ("query", "(env:prod"),
        ("query", "@status:open"),
        ("query", "@workflow.mute.is_muted:true"),
        ("query", "x" * 30_001),
        ("target", "linear"),
        ("fields", {"summary": "{{nonsense}}"}),
        ("fields", {"labels": ["a", "{{title"]}),
    ],
)
def test_it_refuses_a_wrong_rule(editor, field, value):
    with pytest.raises(InvalidRule) as error:
        services.create_rule(data(**{field: value}), actor=editor)
    assert list(error.value.errors) == [field]
    assert not Rule.objects.exists()


def test_every_wrong_field_is_named(editor):
    with pytest.raises(InvalidRule) as error:
        services.validate(data(name="", finding_types=[], query="("))
    assert set(error.value.errors) == {"name", "finding_types", "query"}
    assert error.value.position == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tickets_per_day": 501},
        {"target": "linear"},
        {"name": ""},
        {"auto_disabled_reason": "broken", "enabled": True},
        {"position": 0},
    ],
)
def test_the_database_refuses_it_too(rules, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.filter(name="B").update(**wrong)


def test_it_says_where_a_placeholder_is_wrong():
    with pytest.raises(InvalidRule) as error:
        services.validate(data(target="jira", fields={"summary": "[{{sev}}]"}))
    assert "{{sev}}" in error.value.errors["fields"]
    assert error.value.position == 1


def test_a_jira_rule_may_name_a_project_that_does_not_exist(editor):
    made = services.create_rule(data(target="jira", fields={"labels": ["x"]}), actor=editor)
    assert made.fields == {"labels": ["x"]}


def test_breaking_remembers_the_field_at_fault_until_the_rule_changes(rules, editor):
    services.break_rule(rules[0].pk, reason="Team is required.", field="customfield_1")
    assert RuleCheck.objects.get().field == "customfield_1"
    services.enable_rule(rules[0].pk, actor=editor)
    assert not RuleCheck.objects.exists()


def test_a_rule_may_name_a_project_that_does_not_exist(editor):
    assert services.create_rule(data(project_id=uuid.UUID(int=7)), actor=editor).pk


def test_an_unknown_rule_is_said_so(editor):
    ProjectFactory()
    with pytest.raises(Rule.DoesNotExist):
        services.move_rule(uuid.UUID(int=5), to=0, actor=editor)
