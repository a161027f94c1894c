"""A group's ticket in Jira: created once, kept up to date, told of what was added, left to people
once they have written something else there."""

from __future__ import annotations

import pytest

from automation.kinds.ticket_creation.action import Target
from automation.pipeline import evaluate_all
from tests.jira_places import destination_at
from ticketing.delivery import deliver_due
from ticketing.groups import refresh_due
from ticketing.models import Case, Destination, ExternalIssue, JiraAccount, SyncMode, TimelineEntry
from ticketing.sync import sync_due

pytestmark = pytest.mark.django_db
GRPC = {"package": {"name": "grpcio", "version": "1.50.0", "fixed_version": "1.53.2"}}
TEXT = "What *it* is:\n\n- one\n\n```\ncode | pipes\n```\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"


@pytest.fixture(params=["sandbox_jira", "sandbox_data_center"])
def jira(request, frozen, settings, project, make_rule):
    settings.ALLOW_PRIVATE_NETWORKS = True
    jira = request.getfixturevalue(request.param)
    destination_at(jira, project=project)
    if request.param == "sandbox_data_center":
        JiraAccount.objects.update(deployment="data_center", email="")
    both = dict.fromkeys(("sync_title", "sync_description", "sync_comments"), SyncMode.TWO_WAY)
    Destination.objects.update(**both)
    make_rule(group_by=["package"], target=Target.JIRA.value)
    return jira


@pytest.fixture
def arrive(jira, report, frozen):
    def send(number=1, *, prefix="r", **fields):
        report(number, prefix=prefix, **{"attributes": GRPC, "description": TEXT} | fields)
        evaluate_all()
        refresh_due()
        for _ in range(3):
            frozen.shift(30)
            deliver_due(seconds=5)
            sync_due()

    return send


def there(jira):
    [issue] = jira.issues("SEC")
    return issue


def said(jira, name):
    return str(there(jira).fields[name])


def test_the_issue_follows_its_findings(jira, arrive, frozen):
    arrive(3)
    assert ExternalIssue.objects.get().state == "created"
    assert said(jira, "summary") == "Update grpcio 1.50.0 → 1.53.2: 3 findings in 3 resources"
    arrive(2, prefix="more")
    assert said(jira, "summary") == "Update grpcio 1.50.0 → 1.53.2: 5 findings in 5 resources"
    case = Case.objects.get()
    assert "fixes all 5." in case.description
    assert "fixes all 5." in said(jira, "description")
    assert not TimelineEntry.objects.filter(kind="conflict").exists()
    assert there(jira).comments == []
    frozen.shift(3600)
    arrive(1, prefix="an hour later")
    [comment] = there(jira).comments
    assert "3 findings were added. The ticket stands for 6 now" in str(comment)


def test_what_somebody_writes_there_stays(jira, arrive):
    arrive(2)
    jira.edit(there(jira).key, summary="Ours")
    arrive(0)
    arrive(1, prefix="more")
    case = Case.objects.get()
    assert (case.title, said(jira, "summary")) == ("Ours", "Ours")
    assert "fixes all 3." in case.description
    assert "fixes all 3." in said(jira, "description")


def test_a_long_text_is_taken(jira, arrive):
    """Each row as long as it gets, of signs that are escaped."""
    signs = "*_[|]"
    arrive(
        60,
        prefix=signs * 30,
        title=signs * 50,
        description=signs * 4_000,
        tags=("repo:" + "a-b_c*" * 30,),
    )
    arrive(1, prefix="more")
    assert "61 findings" in said(jira, "summary")
    assert "All 61" in said(jira, "description")
    assert "more, in the order of severity" in said(jira, "description")
    assert "shortened" not in said(jira, "description")
