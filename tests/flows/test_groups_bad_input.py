"""Groups of what nobody thought of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from automation.decisions.conservation import violations
from automation.models import Decision
from automation.pipeline import evaluate_all
from automation.rules import services as rules
from automation.rules.data import data_of
from ticketing.groups import refresh_due
from ticketing.models import Case, CaseGroup

pytestmark = pytest.mark.django_db
HUGE = "x" * 100_000


def sizes():
    cases = Case.objects.exclude(origin="limit_notice").order_by("number")
    return [case.attachments.count() for case in cases]


@pytest.fixture
def decided(report):
    def send(number=1, **fields):
        report(number, **fields)
        evaluate_all()
        refresh_due()
        assert not Decision.objects.filter(outcome="error").exists()
        assert [*violations()] == []

    return send


@pytest.mark.parametrize("name", ["@nobody.has.it", "tag:none", "image", "correlation", "team"])
def test_by_a_field_that_nobody_has_each_finding_has_its_own_ticket(name, make_rule, decided):
    make_rule(group_by=[name])
    decided(3)
    assert sizes() == [1, 1, 1]
    assert not CaseGroup.objects.exists()


def test_a_value_of_100_kb_is_a_group_and_another_one_that_begins_alike_is_not_the_same(
    make_rule, decided
):
    make_rule(group_by=["@text", "package"])
    for prefix, text in (("a", HUGE), ("b", f"{HUGE}y"), ("c", HUGE)):
        decided(2, prefix=prefix, attributes={"text": text, "package": {"name": HUGE}})
    assert sizes() == [4, 2]
    assert max(len(str(each.group_values)) for each in CaseGroup.objects.all()) < 5_000
    assert max(len(case.description) for case in Case.objects.all()) < 32_000


@pytest.mark.parametrize("value", ["\u0001", "\u202eevil", "a\n|b|\n# c", "[x](y)", "{{count}}", 0])
def test_strange_values_are_groups_like_any_other(value, make_rule, decided):
    make_rule(group_by=["@said"])
    decided(2, attributes={"said": value})
    decided(1, prefix="later", attributes={"said": value})
    assert sizes() == [3]


def test_open_tickets_keep_their_group_when_the_rule_has_another_and_take_more_if_it_comes_back(
    make_rule, decided, editor
):
    rule = make_rule(group_by=["package"])
    said = {"attributes": {"package": {"name": "a"}}, "tags": ("team:x",)}
    decided(2, **said)
    for number, group_by in enumerate((["team"], None, ["package"])):
        data = data_of(rule)
        data = replace(data, action=structs.replace(data.action, group_by=group_by))
        rules.edit_rule(rule.pk, data, actor=editor)
        decided(2, prefix=f"later-{number}", **said)
    assert sizes() == [4, 2, 1, 1]


def test_a_group_that_comes_when_the_limit_is_met_in_a_chunk_is_over_it_as_a_whole(
    make_rule, report, decided
):
    make_rule(group_by=["package"], limit=2)
    for number, name in enumerate("abcac"):
        report(2, prefix=f"{name}{number}", attributes={"package": {"name": name}})
    decided(2, prefix="last", attributes={"package": {"name": "b"}})
    assert sizes() == [4, 4]
    over = Decision.objects.filter(outcome="over_limit").values_list("finding__fingerprint")
    assert {name[0] for (name,) in over} == {"c"}
