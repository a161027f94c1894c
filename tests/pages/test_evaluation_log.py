"""The evaluation log, and the numbers of the overview that lead to it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation.decisions import log
from automation.models import Decision
from config.site.overview.pipeline import pipeline
from tests.factories import FindingFactory, ProjectFactory, opened_case

pytestmark = pytest.mark.django_db
LOG = "/settings/findings-automation/evaluations"
Outcome = Decision.Outcome
OF_FINDINGS = [outcome for outcome in Outcome if outcome != Outcome.APPLIED]


@pytest.fixture
def shown(as_user, viewer):
    client = as_user(viewer)
    return lambda address=LOG: " ".join(client.get(address).text.split())


@pytest.fixture
def decided(make_rule):
    """Decides something about a new finding, or the given one, so many hours ago."""
    rule, project = make_rule("Criticals of payments"), ProjectFactory()

    def decide(outcome: str, *, hours: float = 1, **said) -> Decision:
        at = timezone.now() - timedelta(hours=hours)
        has_case = outcome in ("ticketed", "grouped")
        of_a_rule = outcome not in ("muted", "no_match", "no_rules")
        return Decision.objects.create(
            outcome=outcome,
            rule_set_version=1,
            facts={},
            **{
                "requested_at": at,
                "created_at": at,
                "day": at.date(),
                "finding": said.pop("finding", None) or FindingFactory(),
                "rule_id": rule.pk if of_a_rule else None,
                "case_id": opened_case(project).pk if has_case else None,
            }
            | said,
        )

    return decide


def rows(page: str) -> int:
    return page.count("<tr>") - 1 if "<tbody>" in page else 0


def test_it_is_empty_at_first(shown):
    assert "Nothing evaluated yet" in shown()
    assert "No such evaluation" in shown(f"{LOG}?result=ticketed")


def test_each_number_of_the_pipeline_leads_to_as_many_rows(shown, decided):
    for number, outcome in enumerate(OF_FINDINGS, start=1):
        for _ in range(number):
            decided(outcome)
        decided(outcome, hours=25)  # before the 24 hours
    decided("error", rule_id=None, reason="Evaluating it failed (ValueError).")
    steps = {step.label: step for step in pipeline().steps}
    assert [step.number for step in steps.values()] == [
        rows(shown(step.href)) for step in steps.values()
    ]

    def number(*labels: str) -> int:
        return sum(steps[label].number for label in labels)

    parts = ("Muted", "No rule matched", "Evaluation failed", "A rule matched")
    assert number("Evaluations") == number(*parts) == 36 + 1
    matched = ("Ticketed", "Already ticketed", "Over a daily limit", "Rule broken")
    assert number("A rule matched") == number(*matched)
    assert number("Evaluation failed") == 1
    overview = shown("/overview")
    assert all(step.href.replace("&", "&amp;") in overview for step in steps.values())


def test_it_tells_what_was_decided_and_leads_on(shown, decided):
    case = opened_case(ProjectFactory(key="PAY"))
    finding = FindingFactory(title="Key in <code>", resource_name="payments-api")
    decision = decided("ticketed", finding=finding, case_id=case.pk)
    page = shown()
    assert "1 evaluation<" in page
    assert "Key in &lt;code&gt;</a>" in page
    assert "payments-api" in page
    assert ">Criticals of payments</a>" in page
    assert f'href="/settings/findings-automation/{decision.rule_id}/edit"' in page
    assert 'href="/cases/PAY-1">PAY-1</a>' in page
    assert f'href="/findings/{finding.finding_id}?tab=why"' in page


def test_it_says_whether_a_finding_was_evaluated_again(shown, decided):
    finding = FindingFactory()
    decided("no_match", finding=finding, hours=2)
    decided("over_limit", finding=finding, hours=1)
    decided("muted", finding=finding, hours=0.5, kind="mute")  # of rules of another kind
    page = shown()
    assert page.count("?tab=why") == 1
    assert page.index("?tab=why") < page.index("Evaluated again later")


def test_what_is_gone_is_said(shown, decided):
    decision = decided("over_limit", rule_id=uuid4())
    Decision.objects.filter(pk=decision.pk).update(finding=None)
    decided("error", rule_id=None, reason="Evaluating it failed (ValueError).")
    page = shown()
    assert "No longer here" in page
    assert "Deleted rule" in page
    assert "Evaluation failed</span>" in page
    assert "Evaluating it failed (ValueError)." in page


def test_it_turns_pages_and_loses_no_row(shown, decided, monkeypatch):
    monkeypatch.setattr(log, "ROWS", 2)
    at = timezone.now()
    titles = [f"Finding {number}" for number in range(5)]
    for number, title in enumerate(titles):  # three of them at the same moment
        found = FindingFactory(title=title)
        decided("no_match", finding=found, created_at=at - timedelta(hours=number // 3))
    seen, address = [], LOG
    while address:
        page = shown(address)
        assert "5 evaluations<" in page
        seen += [title for title in titles if f"{title}</a>" in page]
        older = page.partition('">Older</a>')[0].rpartition('href="')[2].partition('"')[0]
        address = f"{LOG}{older}".replace("&amp;", "&") if ">Older</a>" in page else ""
    assert sorted(seen) == titles


def test_its_statements_do_not_grow(shown, decided):
    counts = []
    for _ in range(2):
        for outcome in OF_FINDINGS:
            decided(outcome)
        with CaptureQueriesContext(connection) as captured:
            shown()
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("query", ["result=gone", "from=1h", "before=x", "before=MTIz"])
def test_what_no_menu_offers_is_not_found(as_user, viewer, query):
    assert as_user(viewer).get(f"{LOG}?{query}").status_code == 404
