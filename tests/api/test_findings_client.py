"""The public API's own client reads and changes findings on a live server."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from django.utils import timezone

from config.accounts.roles import Permission
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db(transaction=True)
READ_WRITE = (Permission.FINDINGS_READ, Permission.FINDINGS_WRITE)


@pytest.fixture
def findings(public_client, make_key) -> SecurityMonitoringApi:
    return SecurityMonitoringApi(public_client(make_key(*READ_WRITE)))


def search(**attributes) -> dd.SecurityFindingsSearchRequest:
    said = dd.SecurityFindingsSearchRequestDataAttributes(**attributes)
    return dd.SecurityFindingsSearchRequest(
        data=dd.SecurityFindingsSearchRequestData(attributes=said)
    )


def named(*findings) -> dd.Findings:
    kind = dd.FindingDataType.FINDINGS
    return dd.Findings(data=[dd.FindingData(id=f.finding_id, type=kind) for f in findings])


def mute(*findings, **attributes) -> dd.MuteFindingsRequest:
    data = dd.MuteFindingsRequestData(
        type=dd.MuteDataType.MUTE,
        attributes=dd.MuteFindingsRequestDataAttributes(
            mute=dd.MuteFindingsMuteAttributes(**attributes)
        ),
        relationships=dd.MuteFindingsRequestDataRelationships(findings=named(*findings)),
    )
    return dd.MuteFindingsRequest(data=data)


def assignee(*findings, **attributes) -> dd.AssigneeRequest:
    data = dd.AssigneeRequestData(
        type=dd.AssigneeDataType.ASSIGNEE,
        attributes=dd.AssigneeRequestDataAttributes(**attributes),
        relationships=dd.AssigneeRequestDataRelationships(findings=named(*findings)),
    )
    return dd.AssigneeRequest(data=data)


def override(severity, *findings) -> dd.SeverityOverrideRequest:
    data = dd.SeverityOverrideRequestData(
        type=dd.SeverityOverrideDataType.SEVERITY_OVERRIDE,
        attributes=dd.SeverityOverrideRequestDataAttributes(severity=severity),
        relationships=dd.SeverityOverrideRequestDataRelationships(findings=named(*findings)),
    )
    return dd.SeverityOverrideRequest(data=data)


def test_it_lists(findings):
    found = FindingFactory(severity="critical", tags=["team:platform"])
    FindingFactory(severity="low", tags=["team:platform"])
    page = findings.list_security_findings(
        filter_query="@severity:(critical OR high) @status:open team:platform",
        page_limit=5,
        sort=dd.SecurityFindingsSort.DETECTION_CHANGED_AT_ASC,
    )
    assert not page._unparsed
    [shown] = page.data
    assert not shown._unparsed
    assert (shown.id, shown.attributes.tags) == (found.finding_id, ["team:platform"])
    assert shown.attributes.attributes["custom"]["severity"] == "critical"
    assert str(page.meta.status) == "done"


def test_it_lists_with_pagination(findings):
    there = FindingFactory.create_batch(6)
    pages = findings.list_security_findings_with_pagination(page_limit=2)
    assert [shown.id for shown in pages] == [f.finding_id for f in reversed(there)]


def test_it_searches(findings):
    found = FindingFactory(tags=["env:prod"])
    FindingFactory()
    page = findings.search_security_findings(search(filter="env:prod"))
    assert [shown.id for shown in page.data] == [found.finding_id]


def test_it_searches_with_pagination(findings):
    there = FindingFactory.create_batch(5, severity="high")
    FindingFactory.create_batch(2, severity="low")
    limit = dd.SecurityFindingsSearchRequestPage(limit=2)
    body = search(filter="@severity:(critical OR high)", page=limit)
    pages = findings.search_security_findings_with_pagination(body)
    assert [shown.id for shown in pages] == [f.finding_id for f in reversed(there)]


def test_it_mutes_and_unmutes(findings):
    finding = FindingFactory()
    expire_at = round((timezone.now() + timedelta(days=1)).timestamp() * 1000)
    reason = dd.MuteFindingsReason.RISK_ACCEPTED
    muted = mute(finding, is_muted=True, reason=reason, expire_at=expire_at)
    answer = findings.mute_security_findings(muted)
    assert not answer._unparsed
    assert str(answer.data.type) == "mute"
    finding.refresh_from_db()
    assert (finding.status, finding.workflow["mute"]["expire_at"]) == ("muted", expire_at)
    reason = dd.MuteFindingsReason.NO_LONGER_ACCEPTED_RISK
    findings.mute_security_findings(mute(finding, is_muted=False, reason=reason))
    finding.refresh_from_db()
    assert finding.status == "open"


def test_it_assigns_and_unassigns(findings, analyst):
    finding = FindingFactory()
    answer = findings.update_findings_assignee(assignee(finding, assignee_id=str(analyst.pk)))
    assert not answer._unparsed
    assert answer.data.attributes.assignee_id == str(analyst.pk)
    assert (answer.meta.warnings, answer.meta.failures) == ([], [])
    finding.refresh_from_db()
    assert finding.workflow["triage"]["assignee"]["name"] == analyst.name
    answer = findings.update_findings_assignee(assignee(finding))
    assert not answer._unparsed
    finding.refresh_from_db()
    assert finding.workflow["triage"]["assignee"] is None


def test_it_sets_and_clears_a_severity(findings):
    finding, closed = FindingFactory(severity="low"), FindingFactory(status="auto_closed")
    critical = dd.SeverityOverrideSet(
        action=dd.SeverityOverrideSetActionType.SET,
        value=dd.SeverityOverrideValue.CRITICAL,
        description="Exploited",
    )
    answer = findings.update_findings_severity(override(critical, finding, closed))
    assert not answer._unparsed
    assert [each.finding_id for each in answer.meta.warnings] == [closed.finding_id]
    finding.refresh_from_db()
    assert (finding.severity, finding.source_severity) == ("critical", "low")
    clear = dd.SeverityOverrideClear(action=dd.SeverityOverrideClearActionType.CLEAR)
    findings.update_findings_severity(override(clear, finding))
    finding.refresh_from_db()
    assert finding.severity == "low"


def test_it_reads_what_is_refused(findings):
    finding = FindingFactory()
    reason = dd.MuteFindingsReason.HUMAN_ERROR
    with pytest.raises(ApiException) as raised:
        findings.mute_security_findings(mute(finding, is_muted=True, reason=reason))
    assert raised.value.status == 422
    assert raised.value.body["errors"][0]["title"] == "Invalid Request"
    with pytest.raises(ApiException) as raised:
        findings.list_security_findings(page_cursor="nonsense")
    assert raised.value.body["errors"][0]["detail"] == "Invalid filters"


def test_it_reads_that_a_finding_is_not_found(findings):
    gone = FindingFactory.build(finding_id=str(uuid4()), source=None)
    reason = dd.MuteFindingsReason.OTHER
    with pytest.raises(NotFoundException) as raised:
        findings.mute_security_findings(mute(gone, is_muted=True, reason=reason))
    assert raised.value.body["errors"][0]["detail"] == "finding not found"


def test_it_reads_forbidden(public_client, make_key):
    findings = SecurityMonitoringApi(public_client(make_key(Permission.FINDINGS_READ)))
    with pytest.raises(ForbiddenException) as raised:
        findings.update_findings_assignee(assignee(FindingFactory()))
    assert raised.value.body["errors"][0] == "Forbidden"
