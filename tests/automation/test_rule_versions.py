"""A version of the rules is stored as what changed, and reads back as it was."""

from __future__ import annotations

import random
from contextlib import suppress
from importlib import import_module
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from automation.kinds.registry import KINDS
from automation.models import Rule, RuleSet, RuleSetVersion
from automation.rules import services, versions
from automation.rules.active import specs_of
from automation.rules.data import InvalidRule, RuleData, rule_to_json
from automation.rules.restore import restore_deleted
from automation.rules.version_changes import changed, changes_between, size
from automation.rules.versions import rules_at, versions_since

MUTE = "mute"
lists = st.lists(st.tuples(st.integers(0, 9), st.booleans()), unique_by=lambda each: each[0])


def as_rules(pairs):
    return [{"id": str(pk), "enabled": enabled} for pk, enabled in pairs]


@given(lists, lists)
def test_it_takes_any_list_to_any_other(before, after):
    before, after = as_rules(before), as_rules(after)
    assert changed(before, changes_between(before, after)) == after


def test_it_moves_the_fewest_and_says_when_ids_do_not_tell_rules_apart():
    before = as_rules((n, True) for n in range(1_000))
    moved = [before[-1], *before[:-1]]
    assert changes_between(before, moved) == {"rules": [], "removed": [], "places": [[0, "999"]]}
    assert changes_between(before, [before[0], before[0]]) is None
    assert changes_between([{"name": "no id"}], before) is None


def data(name, query=""):
    action = KINDS[MUTE].read({"reason": "risk_accepted"})
    return RuleData(name=name, finding_types=["secret"], query=query, action=action)


def stored():
    return list(map(rule_to_json, Rule.objects.filter(kind=MUTE)))


class Acts:
    """Anything that people do to rules, at random."""

    def __init__(self, seed):
        self.random, self.deleted, self.number = random.Random(seed), [], 0

    def any(self):
        with suppress(InvalidRule):
            self.random.choice(
                [self.create, self.edit, self.move, self.shuffle, self.delete, self.restore]
            )()

    def one(self):
        pks = list(Rule.objects.values_list("pk", flat=True))
        return self.random.choice(pks or [None])

    def create(self):
        self.number += 1
        return services.create_rule(data(f"Rule {self.number}"), actor=None)

    def edit(self):
        if not (pk := self.one()):
            return
        query = f"team:{self.random.randrange(3)}"
        services.edit_rule(pk, data(Rule.objects.get(pk=pk).name, query), actor=None)

    def move(self):
        if pk := self.one():
            services.move_rule(pk, to=self.random.randrange(9), actor=None)

    def shuffle(self):
        pks = list(Rule.objects.values_list("pk", flat=True))
        if pks:
            self.random.shuffle(pks)
            services.reorder(MUTE, pks, actor=None)

    def delete(self):
        if pk := self.one():
            self.deleted.append(pk)
            services.delete_rule(pk, actor=None)

    def restore(self):
        if self.deleted:
            restore_deleted(self.deleted.pop(), actor=None)


@pytest.mark.parametrize("seed", range(2))
def test_every_old_version_reads_back_as_it_was(db, seed, monkeypatch):
    monkeypatch.setattr(versions, "MAX_CHANGES", 7)
    acts, was = Acts(seed), {}
    for _ in range(60):
        acts.any()
        was[services.current_version(MUTE)] = stored()
    was.pop(0, None)
    assert {n: rules_at(MUTE, n) for n in was} == was
    read = [(each.version, each.rules) for each in versions_since(MUTE, 1)]
    assert read == sorted(was.items())
    assert list(versions_since(MUTE, len(was) + 1)) == []
    with pytest.raises(RuleSetVersion.DoesNotExist):
        rules_at(MUTE, len(was) + 1)
    whole = RuleSetVersion.objects.filter(rules__isnull=False)
    assert 0 < whole.count() < len(was) / 2

    # Those of a database from before, all of them whole; the update is killed, and begun again.
    for number, rules in was.items():
        rows = RuleSetVersion.objects.filter(version=number)
        rows.update(rules=rules, changes=None, base=None)
    update = import_module("automation.migrations.0017_shorten_versions")
    monkeypatch.setattr(update, "CHUNK", 9)
    monkeypatch.setattr(update, "changed", killed_after(20, changed))
    with pytest.raises(KeyboardInterrupt):
        update.shorten(apps, None)
    assert {n: rules_at(MUTE, n) for n in was} == was
    monkeypatch.setattr(update, "changed", changed)
    for _ in range(2):
        update.shorten(apps, None)
        assert {n: rules_at(MUTE, n) for n in was} == was
        assert whole.count() < len(was) / 2


def killed_after(number, function):
    left = iter(range(number))

    def call(*args):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*args)

    return call


CHANGES = {
    "edited": lambda pks: services.edit_rule(pks[7], data("Rule 7", "team:web"), actor=None),
    "moved up": lambda pks: services.move_rule(pks[-1], to=0, actor=None),
    "deleted": lambda pks: services.delete_rule(pks[3], actor=None),
    "switched": lambda pks: services.disable_rule(pks[5], actor=None),
}


def test_a_change_of_one_in_a_thousand_costs_no_more_than_one_in_ten(db):
    costs = {}
    for number in (10, 1_000):
        RuleSetVersion.objects.all().delete()
        RuleSet.objects.all().delete()
        Rule.objects.all()._raw_delete(connection.alias)
        wanted = [(UUID(int=n + 1), data(f"Rule {n}")) for n in range(number)]
        services.replace_rules(MUTE, wanted, version=0, actor=None)
        for name, change in CHANGES.items():
            past = Rule.history.count()
            pks = list(Rule.objects.values_list("pk", flat=True))
            with CaptureQueriesContext(connection) as statements:
                change(pks)
            row = RuleSetVersion.objects.first()
            assert row.rules is None
            assert size(row.changes) < 600
            assert Rule.history.count() == past + 1
            costs.setdefault(name, []).append(len(statements))
        version = services.current_version(MUTE)
        assert len(specs_of(MUTE, version)) == number - 1
    assert all(small == large <= 30 for small, large in costs.values()), costs
