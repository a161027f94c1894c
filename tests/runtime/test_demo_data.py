"""The demo data of a first start."""

from __future__ import annotations

import pytest
from django.conf import settings

from automation.kinds.registry import KINDS
from automation.models import Decision, Rule
from automation.pipeline import evaluate_all
from config.runtime import demo_data
from findings.models import Finding, Import
from ticketing.models import Case, Project

REPORTS = sorted((settings.BASE_DIR / "config/runtime/demo_data").glob("*.sarif.gz"))


@pytest.mark.django_db
def test_it_loads_every_report_whole_and_leaves_the_rest_to_the_queue(admin):
    demo_data.load(actor=admin)
    imports = Import.objects.order_by("file_name")
    assert [each.file_name for each in imports] == [path.name for path in REPORTS]
    assert {(each.state, each.rejected) for each in imports} == {("done", 0)}
    assert 150 <= Finding.objects.count() <= 400
    assert {(each.closing, each.scope.is_mixed) for each in imports} == {("done", False)}
    assert imports[0].scope.target == "httpbin"
    assert not Finding.objects.filter(unevaluated_since=None).exists()
    assert not Case.objects.exists()
    assert {rule.created_by for rule in Rule.objects.all()} == {admin}
    assert set(Rule.objects.values_list("kind", flat=True)) == set(KINDS)


@pytest.mark.django_db
def test_its_rules_of_every_kind_act_on_it(admin):
    demo_data.load(actor=admin)
    evaluate_all()
    acted = Decision.objects.filter(rule_id__isnull=False).values_list("rule_id", flat=True)
    assert set(acted) == set(Rule.objects.values_list("pk", flat=True))


@pytest.mark.django_db
def test_it_loads_only_into_an_empty_database(admin):
    demo_data.load(actor=admin)
    demo_data.load(actor=admin)
    assert Project.objects.count() == 1
    assert Import.objects.count() == len(REPORTS)


def test_it_stays_small():
    assert 0 < sum(path.stat().st_size for path in REPORTS) < 400_000
