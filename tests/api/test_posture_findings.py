"""The older list of findings: the public API's own client reads it, and its filters filter."""

from __future__ import annotations

from datetime import timedelta

import pytest
from datadog_api_client.exceptions import NotFoundException
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.roles import Permission
from findings import services
from findings.models import Finding
from tests.conftest import NOON
from tests.factories import FindingFactory

LIST = "/api/v2/posture_management/findings"


@pytest.fixture
def world(db):
    """Four findings: a = open bucket, b = muted identity risk, c = gone library, d = of a host."""
    rule = {"rule": {"id": "CKV_1", "name": "Bucket is public", "level": 3}}
    at = {"first_seen_at": NOON, "detection_changed_at": NOON}
    bucket = {"resource_type": "aws_s3_bucket", "resource_id": "arn:aws:s3:::logs", **at}
    made = {
        "a": {"finding_type": "misconfiguration", "attributes": rule, **bucket},
        "b": {"finding_type": "identity_risk", "severity": "unknown"},
        "c": {"severity": "low", "status": "resolved", "resource_type": "package"},
        "d": {"severity": "none", "tags": ["env:dev", "team:web"], "resource_name": "web-1"},
    }
    for nth, (name, fields) in enumerate(made.items()):
        later = NOON + timedelta(hours=nth)
        times = {"first_seen_at": later, "detection_changed_at": later}
        FindingFactory(**{"finding_id": name, "tags": ["env:prod"]} | times | fields)
    services.mute(
        [Finding.objects.get(finding_id="b").pk],
        reason="RISK_ACCEPTED",
        description="x",
        actor=None,
    )


@pytest.fixture
def client(public_client, make_key) -> SecurityMonitoringApi:
    return SecurityMonitoringApi(public_client(make_key(Permission.FINDINGS_READ)))


@pytest.fixture
def ask(api, make_key):
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_READ)}
    return lambda query="", path=LIST: api.get(f"{path}{query}", headers=headers)


@pytest.mark.django_db(transaction=True)
def test_the_client_lists_and_shows(world, client):
    page = client.list_findings(
        page_limit=1000,
        filter_muted=False,
        filter_evaluation=dd.FindingEvaluation.FAIL,
        filter_tags="env:prod",
        filter_vulnerability_type=[dd.FindingVulnerabilityType.MISCONFIGURATION],
        filter_resource_id="arn:aws:s3:::logs",
        filter_evaluation_changed_at=f">={NOON.timestamp() * 1000:.0f}",
        detailed_findings=True,
    )
    assert not page._unparsed
    assert page.meta.page.total_filtered_count == 1
    [found] = page.data
    assert not found._unparsed
    said = found.attributes
    assert (found.id, str(said.evaluation), str(said.status)) == ("a", "fail", "high")
    assert (said.rule.id, said.rule.name) == ("CKV_1", "Bucket is public")
    assert str(said.vulnerability_type) == "misconfiguration"
    assert (said.datadog_link, said.external_id) == ("/findings/a", "arn:aws:s3:::logs")

    one = client.get_finding("b", snapshot_timestamp=page.meta.snapshot_timestamp).data
    assert not one._unparsed
    mute = one.attributes.mute
    assert (one.attributes.resource_type, str(one.attributes.status)) == ("", "info")
    assert (mute.muted, str(mute.reason), mute.description) == (True, "ACCEPTED_RISK", "x")
    with pytest.raises(NotFoundException) as refusal:
        client.get_finding("nothing")
    assert refusal.value.body["errors"][0]["detail"] == "finding not found"


@pytest.mark.django_db(transaction=True)
def test_the_client_goes_through_the_pages(world, client):
    found = client.list_findings_with_pagination(page_limit=1)
    assert [each.id for each in found] == ["d", "c", "b", "a"]


def ids(answer) -> str:
    assert answer.status_code == 200, answer.content
    document = answer.json()
    assert document["meta"]["page"]["total_filtered_count"] == len(document["data"])
    return "".join(sorted(each["id"] for each in document["data"]))


MS = f"{NOON.timestamp() * 1000:.0f}"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abcd"),
        ("filter[tags]=env:prod", "abc"),
        ("filter[tags]=-env:prod", "d"),
        ("filter[tags]=env:dev&filter[tags]=team:w*", "d"),
        ("filter[muted]=true", "b"),
        ("filter[muted]=false", "acd"),
        ("filter[evaluation]=pass", "c"),
        ("filter[evaluation]=fail", "abd"),
        ("filter[status]=info", "bd"),
        ("filter[status]=high", "a"),
        ("filter[rule_id]=CKV_1", "a"),
        ("filter[rule_name]=Bucket*", "a"),
        ("filter[rule_name]=-Bucket*", "bcd"),
        ("filter[resource_type]=aws*", "a"),
        ("filter[resource_type]=-aws*", "bcd"),
        ("filter[@resource_id]=arn:aws:s3:::logs", "a"),
        (f"filter[discovery_timestamp]={MS}", "a"),
        (f"filter[discovery_timestamp]=>{MS}", "bcd"),
        (f"filter[evaluation_changed_at]=<={int(MS) + 3_600_000}", "ab"),
        ("filter[vulnerability_type]=misconfiguration", "a"),
        (
            "filter[vulnerability_type]=misconfiguration&filter[vulnerability_type]=identity_risk",
            "ab",
        ),
        ("filter[status]=high&filter[evaluation]=pass", ""),
        ("snapshot_timestamp=1&detailed_findings=true", "abcd"),
    ],
)
def test_it_filters(world, ask, query, found):
    assert ids(ask(f"?{query}")) == found


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("page[limit]=0", "page[limit]"),
        ("page[limit]=1001", "page[limit]"),
        ("page[limit]=1e400", "page[limit]"),
        ("page[cursor]=x", "page[cursor]"),
        ("snapshot_timestamp=0", "snapshot_timestamp"),
        ("detailed_findings=yes", "detailed_findings"),
        ("filter[muted]=maybe", "filter[muted]"),
        ("filter[evaluation]=failed", "filter[evaluation]"),
        ("filter[status]=none", "filter[status]"),
        ("filter[status]=low&filter[status]=info", "filter[status]"),
        ("filter[vulnerability_type]=secret", "filter[vulnerability_type]"),
        ("filter[tags]=word", "filter[tags]"),
        ("filter[tags]=env:(", "filter[tags]"),
        ("&".join(["filter[tags]=a:b"] * 21), "filter[tags]"),
        ("filter[discovery_timestamp]=yesterday", "filter[discovery_timestamp]"),
        ("filter[discovery_timestamp]=999999999999999", "filter[discovery_timestamp]"),
        ("filter[resource_type]=%00", "filter[resource_type]"),
        (f"filter[rule_id]={'x' * 1001}", "filter[rule_id]"),
        ("filter[query]=env:prod", "filter[query]"),
    ],
)
def test_it_refuses_what_it_cannot_read(world, ask, query, parameter):
    answer = ask(f"?{query}")
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["source"] == {"parameter": parameter}


def test_it_says_how_to_mute(api, make_key):
    headers = {"DD-API-KEY": make_key(*Permission)}
    answer = api.patch(LIST, "{}", content_type="application/json", headers=headers)
    assert answer.status_code == 404
    assert "PATCH /api/v2/security/findings/mute" in answer.json()["errors"][0]["detail"]


def test_it_costs_the_same_for_few_and_many(world, ask):
    def cost(number: int) -> int:
        FindingFactory.create_batch(number)
        with CaptureQueriesContext(connection) as statements:
            ask("?filter[tags]=env:prod&detailed_findings=true")
        return len(statements)

    ask()  # the key's first use is written down
    assert cost(1) == cost(30)
