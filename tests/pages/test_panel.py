from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from config.accounts.api_keys import KeyActor
from findings import services
from findings.facts import Severity, Status
from findings.models import Finding
from findings.overrides import set_severity
from tests.factories import FindingFactory, ProjectFactory
from tests.pages.groups import found
from ticketing.models import Case
from ticketing.services import attach, change_case, open_manual_case


@pytest.fixture
def panel(as_user, viewer):
    """`panel(finding, person=analyst)`: the finding's page."""

    def get(finding, query="", *, person=viewer, **headers):
        address = f"/findings/{finding.finding_id}?{query}"
        return as_user(person).get(address, headers=headers).content.decode()

    return get


def test_it_shows_a_finding_on_a_page_of_its_own(panel):
    finding = FindingFactory(title="S3 bucket allows public read", resource_name="invoices")

    page = panel(finding)

    assert "<h1" in page
    assert "S3 bucket allows public read" in page
    assert "invoices" in page


def test_it_shows_only_the_panel_in_the_drawer(panel):
    page = panel(FindingFactory(), hx_request="true")

    assert "<html" not in page
    assert "data-drawer-title" in page


def test_it_opens_the_drawer_that_the_address_names(as_user, viewer):
    finding = FindingFactory()

    page = as_user(viewer).get(f"/findings?finding={finding.finding_id}").content.decode()

    assert 'id="panel-title"' in page
    assert "open>" in page


def test_it_ignores_a_drawer_that_the_address_invents(as_user, viewer):
    FindingFactory()

    answer = as_user(viewer).get("/findings?finding=nothing%00")

    assert answer.status_code == 200
    assert 'id="panel-title"' not in answer.content.decode()


@pytest.mark.parametrize("finding_id", ["nothing", "%00", "x" * 2_000, "%F0%9F%90%8D"])
def test_it_knows_nothing_at_other_addresses(as_user, viewer, finding_id):
    assert as_user(viewer).get(f"/findings/{finding_id}").status_code == 404


def test_it_only_reads(as_user, viewer):
    finding = FindingFactory()

    assert as_user(viewer).post(f"/findings/{finding.finding_id}").status_code == 405


def test_it_renders_the_description_without_what_could_do_harm(panel):
    page = panel(
        FindingFactory(
            description=(
                "# Grants `s3:GetObject`\n\n<script>alert(1)</script> [a](javascript:alert(1)) "
                "[b](https://example.com) ![c](https://example.com/c.png)\n\n|d|\n|-|\n|e|"
            )
        )
    )

    assert "<h3>Grants <code>s3:GetObject</code></h3>" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert '<a href="https://example.com" rel="nofollow noopener">b</a>' in page
    assert "<img" not in page
    assert '<table tabindex="0">' in page


def test_it_escapes_everything_that_a_source_says(panel):
    evil = '"><img src=x onerror=alert(1)>'
    finding = FindingFactory(
        title=evil,
        resource_id=evil,
        tags=[f"team:{evil}"],
        attributes={"advisory": {"id": evil}, "package": {"name": [evil]}, evil: evil},
    )

    assert "<img" not in panel(finding)


def test_it_shows_the_evidence(panel):
    page = panel(
        FindingFactory(
            attributes={
                "code_location": {"file": "app/cache.py", "line": 88},
                "package": {"name": "sudo", "version": "1.9.14", "fixed_version": "1.9.17"},
                "cvss": 7.8,
            }
        )
    )

    assert "app/cache.py:88" in page
    assert "sudo 1.9.14" in page
    assert "1.9.17" in page
    assert "&quot;cvss&quot;: 7.8" in page


@pytest.mark.parametrize(
    "attributes",
    [{"package": "text"}, {"package": ["a", {}]}, {"advisory": None, "cvss": True}, {"a": [[]]}],
)
def test_it_bears_attributes_of_any_shape(panel, attributes):
    assert "All attributes" in panel(FindingFactory(attributes=attributes))


def test_it_searches_for_a_tag(panel):
    page = panel(FindingFactory(tags=["env:prod", "path:a b"]))

    assert 'href="/findings?q=env%3Aprod"' in page
    assert f'href="/findings?q={"path%3A%22a+b%22"}"' in page


def test_it_tells_what_happened_newest_first(panel, analyst):
    finding = FindingFactory(first_seen_at=timezone.now() - timedelta(days=1))
    services.assign([finding.pk], assignee=analyst, actor=analyst)
    services.change_status([finding.pk], status=Status.IN_PROGRESS, actor=analyst)
    services.mute([finding.pk], reason="FALSE_POSITIVE", description="Tests", actor=analyst)

    page = panel(finding)

    said = ["Muted:", "Status changed from", "Assigned to", "First detected by"]
    timeline = page[page.index('class="timeline"') :]
    assert sorted(said, key=timeline.index) == said
    assert "False positive · Tests" in page


def test_it_tells_who_set_the_severity_and_why(panel, analyst):
    finding = FindingFactory(severity="high")
    assert "from scanner" not in panel(finding)
    said = {"severity": Severity.CRITICAL, "description": "Exploited <now>", "actor": analyst}
    set_severity([finding.pk], **said)

    page = panel(finding)

    changed = "High from scanner → Critical set by Alan Analyst · Exploited &lt;now&gt;"
    assert f"<dt>Severity</dt><dd>{changed}</dd>" in page
    assert f'data-tip="{changed}"' in page
    assert "Severity set from <b>High</b> to <b>Critical</b> by <b>Alan Analyst</b>" in page


def test_it_names_the_key_that_did_something(panel):
    finding = FindingFactory()
    key = KeyActor(id=uuid4(), name="nightly", permissions=frozenset())
    services.mute([finding.pk], reason="OTHER", actor=key)

    assert "<b>Other</b> by API key <b>nightly</b>" in panel(finding)


def test_it_tells_what_happened_to_the_ticket(panel, analyst):
    finding = FindingFactory()
    case = open_manual_case([finding.pk], project=ProjectFactory(key="SEC"), actor=analyst)
    change_case(case, actor=analyst, status="IN_PROGRESS")

    page = panel(finding)

    assert "Ticket <b>SEC-1</b> created by <b>Alan Analyst</b>" in page
    assert "Status of SEC-1 changed from <b>Open</b> to <b>In Progress</b>" in page


@pytest.mark.parametrize("by_rule", [True, False])
def test_it_tells_when_the_finding_came_to_a_ticket_that_was_there(
    panel, analyst, make_rule, frozen, by_rule
):
    make_rule("Libraries", group_by=["package"])
    found(1)
    change_case(Case.objects.get(), actor=analyst, status="IN_PROGRESS")
    frozen.shift(3600)
    if by_rule:
        found(1, prefix="later")
    finding = Finding.objects.latest("pk") if by_rule else FindingFactory()
    if not by_rule:
        attach(Case.objects.get(), [finding.pk], actor=analyst)
    page = panel(finding)
    said = "Added to ticket <b>RISK-1</b> by rule <b>Libraries</b>"
    assert (said if by_rule else "Attached to ticket <b>RISK-1</b> by <b>Alan Analyst</b>") in page
    assert "created by rule" not in page
    assert "Status of RISK-1" not in page


def test_it_shows_controls_to_those_who_may_use_them(panel, analyst, viewer):
    finding = FindingFactory()

    assert "/triage/mute" in panel(finding, person=analyst)
    assert "/tickets/new" in panel(finding, person=analyst)
    assert "/triage/" not in panel(finding, person=viewer)
    assert "/tickets/" not in panel(finding, person=viewer)


def test_it_offers_to_unmute_what_is_muted(panel, analyst):
    finding = FindingFactory()
    services.mute([finding.pk], reason="OTHER", actor=analyst)

    assert "Unmute" in panel(finding, person=analyst)


def test_it_needs_few_statements(as_user, viewer, django_assert_max_num_queries):
    finding = FindingFactory(attributes=json.loads('{"cvss": 7.8}'))
    client = as_user(viewer)

    with django_assert_max_num_queries(12):
        client.get(f"/findings/{finding.finding_id}")
