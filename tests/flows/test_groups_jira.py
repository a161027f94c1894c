"""The ticket of a group in Jira says what is so of its findings, and does not nag."""

from __future__ import annotations

import pytest
from django.utils import timezone

from automation.pipeline import evaluate_all
from tests.jira_places import destination_at
from ticketing import services
from ticketing.delivery import deliver_due
from ticketing.groups import refresh_due
from ticketing.models import Case, ExternalIssue
from ticketing.sync import sync_due

pytestmark = pytest.mark.django_db
GRPC = {"package": {"name": "grpcio", "version": "1.50.0", "fixed_version": "1.53.2"}}


@pytest.fixture
def jira(frozen, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def rule(jira, make_rule):
    place = destination_at(jira)

    def make(**fields):
        return make_rule(
            target="jira", project_id=place.project_id, group_by=["package"], fields=fields or None
        )

    return make


@pytest.fixture
def found(report, frozen):
    def send(number: int = 1, *, prefix: str = "r", minutes: int = 1, **fields):
        frozen.shift(60 * minutes)
        report(number, prefix=prefix, **{"attributes": GRPC} | fields)
        evaluate_all()
        refresh_due()
        deliver_due()
        ExternalIssue.objects.update(sync_due_at=timezone.now())
        sync_due()

    return send


def issue(jira):
    (only,) = jira.issues()
    return only


def comments(jira):
    return [one.json["body"] for one in jira.log.matching("POST /issue/[0-9]+/comment$")]


def test_its_title_follows_and_comments_come_once_an_hour(jira, rule, found):
    rule()
    found(2)
    found(1, prefix="second")
    found(1, prefix="third", tags=("repo:acme/a",))
    assert issue(jira).fields["summary"].startswith("Update grpcio 1.50.0 → 1.53.2: 4 findings")
    assert comments(jira) == []
    found(1, prefix="fourth", minutes=70)
    assert len(comments(jira)) == 1
    assert "3 findings were added. The ticket stands for 5 now, 5 of them open." in str(
        comments(jira)
    )
    found(1, prefix="fifth")
    assert len(comments(jira)) == 1


def test_what_somebody_wrote_there_stays(jira, rule, found, frozen):
    rule()
    found(2)
    frozen.shift(60)
    jira.edit(str(issue(jira).id), summary="Ours")
    found(1, prefix="second")
    found(1, prefix="third")
    assert issue(jira).fields["summary"] == "Ours"
    assert Case.objects.get().title == "Ours"


def test_placeholders_speak_of_the_group(jira, rule, found):
    rule(
        summary="{{count}} × {{package}} ({{worst.severity}})",
        description="In {{resources}}: {{versions}}",
    )
    found(1, severity="low")
    found(2, prefix="second", severity="high")
    assert issue(jira).fields["summary"] == "3 × grpcio (High)"
    assert Case.objects.get().description == "In r\\-0, second\\-0, second\\-1: 1.50.0"


def test_one_issue_for_each_ticket_that_follows(jira, rule, found, editor):
    rule()
    found(2)
    services.change_case(Case.objects.get(), actor=editor, status=Case.Status.CLOSED)
    found(2, prefix="second")
    assert len(list(jira.issues())) == 2
