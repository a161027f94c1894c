"""What the public API keeps with a case, as its page shows it."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from config.accounts.api_keys import KeyActor
from tests.factories import FindingFactory
from ticketing import commenting, details, services
from ticketing.models import Case, Project, TimelineEntry

KEY = KeyActor(id=uuid4(), name="ci", permissions=frozenset())


@pytest.fixture
def finding(db):
    return FindingFactory()


@pytest.fixture
def case(project, finding):
    return services.open_manual_case([finding.pk], project=project, actor=KEY)


@pytest.fixture
def shown(as_user, viewer, case):
    def page() -> str:
        return as_user(viewer).get("/cases/RISK-1").content.decode()

    return page


def test_it_shows_the_due_date_the_attributes_and_the_reason(shown, case):
    assert "<dt>Due</dt>" not in shown()
    details.set_due_date(case, date(2026, 12, 1), actor=KEY)
    details.set_attributes(case, {"env": ["prod", "dev"]}, actor=KEY)
    details.set_resolved_reason(case, "FALSE_POSITIVE", actor=KEY)
    body = shown()
    assert '<time datetime="2026-12-01">1 Dec 2026</time>' in body
    assert '<dt class="mono">env</dt>' in body
    assert "<dd>prod, dev</dd>" in body
    assert "<dd>FALSE_POSITIVE</dd>" in body


def test_a_case_of_a_key_was_created_through_the_api(as_user, viewer, shown, admin, finding):
    key = KeyActor(id=uuid4(), name="ci", permissions=frozenset(), made_by=admin)
    services.open_manual_case(
        [finding.pk], project=Project.objects.get(), actor=key, origin=Case.Origin.API
    )
    browser = as_user(viewer)
    for address in ("/cases/RISK-2", f"/tickets/{finding.finding_id}/popover"):
        body = browser.get(address).content.decode()
        assert "Created through the API" in body
        assert "Created by <b>Ada" not in body


def test_it_tells_what_a_key_did_under_its_name(shown, case, analyst):
    details.set_due_date(case, date(2026, 12, 1), actor=KEY)
    details.set_due_date(case, None, actor=analyst)
    details.set_attributes(case, {"env": ["prod"]}, actor=KEY)
    body = shown()
    assert "Case created by the API key <b>ci</b>" in body
    assert "Due on <b>2026-12-01</b> by the API key <b>ci</b>" in body
    assert "No longer due on <b>2026-12-01</b> by <b>Alan Analyst</b>" in body
    assert "Attributes changed by the API key <b>ci</b>" in body


def test_it_marks_comments_of_keys_and_edited_and_deleted_ones(shown, case, analyst, admin):
    services.comment(case, "By a machine", actor=KEY)
    edited = services.comment(case, "Frist", actor=analyst)
    deleted = services.comment(case, "Regretted", actor=analyst)
    commenting.edit_comment(edited, "First", actor=admin)
    commenting.delete_comment(deleted, actor=analyst)
    body = shown()
    assert "API key</span>" in body
    assert '<span class="sub small" title="Edited by Ada Admin.">edited by Ada Admin</span>' in body
    assert "This comment was deleted. Deleted by Alan Analyst." in body
    assert ("Frist" in body, "Regretted" in body, "First" in body) == (False, False, True)


def test_what_clients_keep_renders_no_attack(shown, case):
    attack = "<script>alert(1)</script>"
    details.set_attributes(case, {attack: [attack]}, actor=KEY)
    details.set_resolved_reason(case, attack, actor=KEY)
    TimelineEntry.objects.update(key_name=attack)
    assert "<script>a" not in shown()
