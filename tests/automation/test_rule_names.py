"""No two rules of one kind are called alike, whatever the door."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from automation import migrations
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.inbox.defaults import DEFAULTS
from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule, RuleSetVersion
from automation.rules import services
from automation.rules.active import active_rules
from automation.rules.data import InvalidRule, RuleData
from automation.rules.names import copy_name, free_name
from tests.factories import RuleFactory, ticket_rule

pytestmark = pytest.mark.django_db
ALIKE = ("Secrets", "secrets", " SECRETS ")
[MIGRATION] = Path(migrations.__file__).parent.glob("*_distinct_names.py")
RENAMING = import_module(f"automation.migrations.{MIGRATION.stem}")


def data(name, **said):
    said = {"finding_types": ["secret"], "max_tickets_per_day": 1} | said
    return ticket_rule(project_id=uuid.UUID(int=1), name=name, **said)


def inbox(name):
    return RuleData(name=name, finding_types=["secret"], action=AddToInbox())


def create(*names):
    return [services.create_rule(data(name), actor=None) for name in names]


def names():
    return list(Rule.objects.values_list("name", flat=True))


@pytest.mark.parametrize("alike", ALIKE)
def test_it_refuses_a_name_that_another_rule_of_the_kind_has(alike):
    _, other = create("Secrets", "Other")
    listed = [(other.pk, data("Secrets")), (uuid.uuid4(), data(alike))]
    for change in (
        lambda: create(alike),
        lambda: services.edit_rule(other.pk, data(alike), actor=None),
        lambda: services.replace_rules(NAME, listed, version=2, actor=None),
    ):
        with pytest.raises(InvalidRule, match="Another rule is already called") as refused:
            change()
        assert set(refused.value.errors) == {"name"}
    assert names() == ["Secrets", "Other"]


def test_another_kind_may_have_the_name_and_a_rule_keeps_its_own():
    [rule] = create("Secrets")
    services.create_rule(inbox("Secrets"), actor=None)
    assert services.edit_rule(rule.pk, data("SECRETS"), actor=None).name == "SECRETS"


def test_no_rule_takes_the_name_of_one_that_comes_with_the_product():
    with pytest.raises(InvalidRule):
        services.create_rule(inbox(DEFAULTS[0].name.lower()), actor=None)
    create(DEFAULTS[0].name)


def test_what_nobody_saw_coming_is_refused_by_the_database_as_clearly(monkeypatch):
    """Another door, another day: the row of the rule set is not locked by everybody."""
    create("Secrets")
    monkeypatch.setattr(services, "require_free_name", lambda rule, name: None)
    with pytest.raises(InvalidRule, match="Two rules of one kind may not have the same name"):
        create("secrets")
    assert names() == ["Secrets"]


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_told():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")
    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(_create_alone, ["Secrets", "secrets", "SECRETS ", "Secrets"])]
    assert sorted(answers) == ["created", *(["refused"] * 3)]
    assert Rule.objects.count() == 1


def _create_alone(name):
    try:
        create(name)
    except InvalidRule:
        return "refused"
    finally:
        connection.close()
    return "created"


def test_names_change_hands_within_one_change():
    one, other, third = create("One", "Other", "Third")
    listed = [(one.pk, data("Other")), (other.pk, data("One")), (uuid.uuid4(), data("Third"))]
    services.replace_rules(NAME, [*listed[:2], (third.pk, data("Fourth"))], version=3, actor=None)
    assert names() == ["Other", "One", "Fourth"]
    services.replace_rules(NAME, [*listed, (third.pk, data("Fifth"))], version=4, actor=None)
    assert names() == ["Other", "One", "Third", "Fifth"]


def test_copies_are_numbered():
    long = "x" * 255
    [rule, tall] = create("Secrets", long)
    for pk in (rule.pk, rule.pk, tall.pk, tall.pk):
        services.duplicate_rule(pk, actor=None)
    copy = Rule.objects.get(name="Secrets (copy)")
    services.duplicate_rule(copy.pk, actor=None)
    assert {name for name in names() if name.startswith("S")} == {
        *("Secrets", "Secrets (copy)", "Secrets (copy 2)", "Secrets (copy 3)")
    }
    assert {"x" * 248 + " (copy)", "x" * 246 + " (copy 2)"} <= set(names())
    assert copy_name(NAME, "New") == "New (copy)"
    assert [free_name(NAME, name) for name in ("New", "SECRETS")] == ["New", "SECRETS (2)"]


@pytest.mark.django_db(transaction=True)
def test_the_update_gives_later_rules_of_a_name_a_number():
    constraint = next(each for each in Rule._meta.constraints if each.name == "rule_name_unique")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Rule, constraint)
    try:
        [first] = create("Secrets")
        for name in ("secrets ", "Secrets (2)", "SECRETS", "x" * 255, "X" * 255):
            RuleFactory(name=name, position=Rule.objects.count())
        services.edit_rule(first.pk, data("Secrets", query="env:prod"), actor=None)
        for _ in range(2):  # as if it had been interrupted
            RENAMING.rename(apps, None)
        assert names() == [
            *("Secrets", "secrets (3)", "Secrets (2)", "SECRETS (4)"),
            *("x" * 255, "X" * 251 + " (2)"),
        ]
        assert [spec.name for spec in active_rules(NAME).specs] == names()
        assert Rule.history.filter(history_change_reason=RENAMING.REASON).count() == 3
        assert RuleSetVersion.objects.count() == 3
    finally:
        with connection.schema_editor() as editor:
            editor.add_constraint(Rule, constraint)
