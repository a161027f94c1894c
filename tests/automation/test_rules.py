"""Changing rules: order, versions, history, lost updates."""

import uuid
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule, RuleCheck, RuleSetVersion
from automation.rules import services
from automation.rules.data import InvalidRule, action_of
from automation.rules.order import InvalidOrder, RulesChanged
from automation.rules.versions import rules_at
from tests.factories import ProjectFactory, ticket_rule

pytestmark = pytest.mark.django_db


def data(**fields):
    return ticket_rule(
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
    services.reorder(NAME, ids(wanted), actor=editor)
    assert order() == wanted
    newest = rules_at(NAME, services.current_version(NAME))
    assert [rule["name"] for rule in newest] == list(wanted)


def test_the_same_order_is_no_change(rules, editor):
    version = services.current_version(NAME)
    assert services.reorder(NAME, ids("ABC"), version=version, actor=editor) == version
    assert RuleSetVersion.objects.count() == 3


def test_a_new_rule_is_last_also_after_a_reorder(rules, editor):
    services.reorder(NAME, ids("CBA"), actor=editor)
    services.create_rule(data(name="D"), actor=editor)
    assert order() == "CBAD"


@pytest.mark.parametrize(("to", "wanted"), [(0, "CAB"), (1, "ACB"), (2, "ABC"), (99, "ABC")])
def test_it_moves_one_rule(rules, editor, to, wanted):
    services.move_rule(rules[2].pk, to=to, actor=editor)
    assert order() == wanted


def test_it_refuses_an_order_that_somebody_else_changed(rules, editor, admin):
    seen = services.current_version(NAME)
    services.reorder(NAME, ids("BAC"), version=seen, actor=admin)
    with pytest.raises(RulesChanged) as error:
        services.reorder(NAME, ids("CBA"), version=seen, actor=editor)
    assert error.value.by == admin
    assert order() == "BAC"


def test_another_kind_of_change_does_not_stand_in_the_way(rules, editor, admin):
    seen = services.current_version(NAME)
    services.disable_rule(rules[0].pk, actor=admin)
    services.reorder(NAME, ids("CBA"), version=seen, actor=editor)
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
        services.reorder(NAME, wrong(ids("ABC")), actor=editor)
    assert order() == "ABC"


def test_every_move_is_in_the_history_with_its_actor(rules, editor, admin):
    moved = Rule.history.filter(history_change_reason="moved")
    for order, moves in [("BAC", "A"), ("CBA", "C"), ("BCA", "B")]:
        moved.delete()
        services.reorder(NAME, ids(order), moved=ids(moves)[0], actor=admin)
        assert "".join(sorted(moved.values_list("name", flat=True))) == moves
    assert moved.get().history_user == admin


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
    assert services.current_version(NAME) == 4


def test_the_copy_is_disabled_and_below(rules, editor):
    services.duplicate_rule(rules[0].pk, actor=editor)
    assert list(Rule.objects.values_list("name", "enabled"))[:2] == [
        ("A", True),
        ("A (copy)", False),
    ]


def test_deleting_writes_a_version_and_history(rules, editor):
    services.delete_rule(rules[0].pk, actor=editor)
    assert len(rules_at(NAME, services.current_version(NAME))) == 2
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
    assert action_of(made).fields == {"labels": ["x"]}


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


def many(number):
    wanted = [(uuid.uuid4(), data(name=f"R{nth}", query=f"env:{nth}")) for nth in range(number)]
    services.replace_rules(NAME, wanted, version=services.current_version(NAME), actor=None)
    return [pk for pk, _ in wanted]


CHANGES = {
    "broken": lambda ids: services.break_rules(dict.fromkeys(ids, "Gone."), field="summary"),
    "disabled": lambda ids: services.disable_rules(ids, actor=None),
    "moved": lambda ids: services.reorder(NAME, ids[::-1], actor=None),
    "edited": lambda ids: services.replace_rules(
        NAME,
        [(pk, data(name=f"New {pk}", query="x")) for pk in ids],
        version=services.current_version(NAME),
        actor=None,
    ),
    "deleted": lambda ids: services.replace_rules(
        NAME, [], version=services.current_version(NAME), actor=None
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_changes_many_rules_as_one_change(change, db):
    counts = []
    for number in (4, 300):
        ids = many(number)
        before, past = RuleSetVersion.objects.count(), Rule.history.count()
        with CaptureQueriesContext(connection) as statements:
            CHANGES[change](ids)
        counts.append(len(statements))
        assert RuleSetVersion.objects.count() == before + 1
        assert Rule.history.count() == past + number - (change == "moved")  # one may stay
    assert counts[0] == counts[1] <= 25


def test_it_breaks_rules_once_each_for_its_own_cause(rules):
    services.disable_rule(rules[2].pk, actor=None)
    version = services.current_version(NAME)
    reasons = {rule.pk: f"{rule.name} is gone." for rule in rules}

    with capture_logs() as logs:
        assert services.break_rules(reasons) == [rules[0].pk, rules[1].pk]
    assert services.break_rules(reasons) == services.break_rules({}) == []

    broken = Rule.objects.values_list("enabled", "auto_disabled_reason")
    assert list(broken) == [(False, "A is gone."), (False, "B is gone."), (False, "")]
    assert services.current_version(NAME) == version + 1
    assert Rule.history.filter(history_change_reason="auto-disabled").count() == 2
    told = [(log["reason"], log["rules"]) for log in logs if "rules" in log]
    assert told == [("A is gone.", 1), ("B is gone.", 1)]


def test_a_change_of_many_keeps_what_a_change_of_one_keeps(editor):
    """Written in bulk, a rule is as it would be if it was saved, and so is its history."""
    said = data(name="One", fields={"labels": ["x"]}, target="jira", assignee_id=editor.pk)
    one = services.create_rule(said, actor=editor)
    same = (one.pk, said)
    services.replace_rules(
        NAME, [same, (uuid.uuid4(), replace(said, name="Two"))], version=1, actor=editor
    )
    rows = Rule.objects.order_by("position").values("action", "finding_types")
    assert rows[0] == rows[1]
    past = Rule.history.values("action", "finding_types", "history_user", "history_type")
    assert past[0] == past[1]
