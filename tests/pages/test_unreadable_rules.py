"""A rule of which the stored action cannot be read is broken, and stops none of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.ticket_creation.action import NAME
from automation.models import Decision, Rule, RuleSetVersion
from automation.pipeline import evaluate_all
from automation.recheck import recheck
from automation.rules import services
from automation.rules.data import CANNOT_BE_READ, InvalidRule, RuleData, action_of
from findings.models import Evaluation
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db
LIST = "/settings/findings-automation"
UNREADABLE = [{"reason": "nonsense", "target": 7}, {}, [], "x"]


@pytest.fixture(params=["mute", NAME])
def rules(request, make_rule):
    """Bad, Good and Late of one kind."""
    if request.param == NAME:
        return [make_rule(name) for name in ("Bad", "Good", "Late")]
    action = MuteFinding(reason=Reason.OTHER)
    data = {"finding_types": ["secret"], "action": action}
    return [
        services.create_rule(RuleData(name=name, **data), actor=None)
        for name in ("Bad", "Good", "Late")
    ]


def spoil(rule, stored=UNREADABLE[0]):
    Rule.objects.filter(pk=rule.pk).update(action=stored)


@pytest.mark.parametrize("stored", UNREADABLE)
def test_the_others_change_and_act_and_it_is_broken(rules, stored):
    bad, good, late = rules
    spoil(bad, stored)
    services.reorder(bad.kind, [late.pk, bad.pk, good.pk], actor=None)
    services.disable_rule(late.pk, actor=None)
    finding = FindingFactory(finding_type="secret")
    Evaluation.objects.update(unevaluated_since=finding.first_seen_at)
    evaluate_all()
    recheck()
    decided = Decision.objects.get(finding=finding, kind=bad.kind)
    assert decided.rule_id == good.pk
    bad.refresh_from_db()
    assert (bad.enabled, bad.auto_disabled_reason, bad.action) == (False, CANNOT_BE_READ, stored)


def test_once_it_is_broken_nothing_is_written_for_it_any_more(rules):
    spoil(rules[0])
    services.disable_rule(rules[1].pk, actor=None)
    recheck()
    evaluate_all()
    versions = RuleSetVersion.objects.count()
    recheck()
    evaluate_all()
    assert RuleSetVersion.objects.count() == versions


def test_it_is_repaired_by_saying_what_it_does(rules):
    bad, good, _ = rules
    spoil(bad)
    said = RuleData(name="Bad", finding_types=["secret"], action=action_of(good))
    services.edit_rule(bad.pk, said, actor=None)
    assert action_of(Rule.objects.get(pk=bad.pk)) == action_of(good)
    spoil(bad)
    wanted = [(rule.pk, replace(said, name=rule.name)) for rule in rules]
    version = services.current_version(bad.kind)
    services.replace_rules(bad.kind, wanted, version=version, actor=None)
    assert action_of(Rule.objects.get(pk=bad.pk)) == action_of(good)


def test_it_is_neither_switched_on_nor_copied(rules, as_user, editor):
    bad, *_ = rules
    spoil(bad)
    services.disable_rule(bad.pk, actor=None)
    with pytest.raises(InvalidRule, match=CANNOT_BE_READ):
        services.enable_rule(bad.pk, actor=None)
    browser = as_user(editor)
    for do in ("toggle", "duplicate"):
        said = {"enabled": "on", "submission": "1"}
        page = browser.post(f"/rules/{bad.pk}/{do}", said, follow=True).content.decode()
        assert CANNOT_BE_READ in page
    assert Rule.objects.filter(kind=bad.kind).count() == 3
    services.delete_rule(bad.pk, actor=None)


@pytest.mark.parametrize("do", ["export", "plan"])
def test_a_file_of_rules_leaves_none_out_unseen(do, rules, tmp_path):
    spoil(rules[0])
    with pytest.raises(CommandError, match=f"Bad: {CANNOT_BE_READ}"):
        call_command("rules", do, str(tmp_path / "rules.yaml"))


def test_every_page_says_so(rules, as_user, editor, admin):
    bad, *_ = rules
    spoil(bad)
    shown = as_user(editor).get(LIST).content.decode()
    assert CANNOT_BE_READ in shown
    assert shown.count('class="rl effect broken"') + shown.count('class="rl broken"') == 1
    for address in (
        "/overview",
        "/settings/integrations",
        f"{LIST}/{bad.pk}/edit",
        f"{LIST}/{bad.pk}/delete",
    ):
        assert as_user(admin).get(address, follow=True).status_code == 200
    assert (
        CANNOT_BE_READ
        in as_user(admin).get(f"/admin/automation/rule/?kind={bad.kind}").content.decode()
    )
