"""The page of one case, and what people do there."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation.rules import services as automation
from tests.factories import FindingFactory, ProjectFactory, UserFactory
from ticketing import details, services
from ticketing.models import Attachment, Case

ACTIONS = ("change", "edit", "comment", "attach", "move", "archive", "unarchive")


@pytest.fixture
def finding(db):
    return FindingFactory(title="Leaked key", severity="critical")


@pytest.fixture
def case(project, finding, analyst):
    """RISK-1, with a finding."""
    return services.open_manual_case([finding.pk], project=project, actor=analyst)


def show(browser, key="RISK-1", query=""):
    return browser.get(f"/cases/{key}{query}").content.decode()


def test_it_shows_a_case_with_its_findings_and_history(as_user, viewer, case, finding):
    shown = show(as_user(viewer))

    assert "RISK-1" in shown
    assert "Created by <b>Alan Analyst</b>" in shown
    assert f'href="/findings/{finding.finding_id}"' in shown
    assert "Case created by <b>Alan Analyst</b>" in shown
    assert "No open findings are left" in shown


def test_it_leads_from_an_old_key_to_the_new_one(as_user, viewer, case):
    services.move(case, ProjectFactory(key="OPS"), actor=None)
    assert as_user(viewer).get("/cases/RISK-1").url == "/cases/OPS-1"


@pytest.mark.parametrize("key", ["RISK-9", "x", "%00", "<script>", "RISK-1'--"])
def test_it_does_not_find_a_case_that_never_was(as_user, analyst, case, key):
    browser = as_user(analyst)
    assert browser.get(f"/cases/{key}").status_code == 404
    assert browser.post(f"/cases/{key}/comment", {"text": "x"}).status_code == 404


def test_it_links_the_rule_that_made_the_case(as_user, viewer, case, make_rule):
    rule = make_rule("Exposed secrets")
    Case.objects.update(origin="rule", rule_id=rule.pk, rule_name="Its old name")

    shown = show(as_user(viewer))
    assert f'/settings/findings-automation/{rule.pk}/edit">Exposed secrets</a>' in shown

    automation.delete_rule(rule.pk, actor=None)
    assert '<b>Its old name</b> <span class="sub">(deleted)</span>' in show(as_user(viewer))


def test_it_costs_the_same_however_much_happened(as_user, analyst, case):
    browser, costs = as_user(analyst), []
    for number in (1, 20):
        services.attach(case, [FindingFactory().pk for _ in range(number)], actor=analyst)
        for _ in range(number):
            services.comment(case, "Rotated.", actor=analyst)
        with CaptureQueriesContext(connection) as statements:
            show(browser)
        costs.append(len(statements))

    assert costs[0] == costs[1] <= 15


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "[x](javascript:alert(1))",
        "![x](https://elsewhere.example/pixel.png)",
        "<a href='data:text/html,x'>x</a>",
    ],
)
def test_it_renders_no_attack(as_user, analyst, case, attack):
    services.change_case(case, title=attack, description=attack, actor=analyst)
    services.comment(case, attack, actor=analyst)
    services.attach(case, [FindingFactory(title=attack, resource_id=attack).pk], actor=analyst)

    shown = show(as_user(analyst)).lower()

    for harm in ("<script>a", "<img", 'href="javascript', 'href="data:', "<a href='data"):
        assert harm not in shown


def test_it_renders_markdown(as_user, viewer, case):
    services.comment(case, "Fixed in **2.1**, see https://x.example", actor=None)
    assert "Fixed in <strong>2.1</strong>" in show(as_user(viewer))


def test_it_shows_comments_alone(as_user, viewer, case):
    services.comment(case, "Rotated.", actor=None)

    shown = show(as_user(viewer), query="?activity=comments")

    assert "Rotated." in shown
    assert "Case created" not in shown


def test_it_comments(as_user, analyst, case):
    response = as_user(analyst).post("/cases/RISK-1/comment", {"text": "Rotated the key."})

    assert response.url == "/cases/RISK-1#activity"
    assert case.timeline.get(kind="comment").after == "Rotated the key."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Write a comment first."),
        (" \n ", "Write a comment first."),
        ("x" * 1_000_000, "takes up to 20,000 characters; this one has 1000000."),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_it_says_why_a_comment_is_not_taken(as_user, analyst, case, text, said):
    response = as_user(analyst).post("/cases/RISK-1/comment", {"text": text})

    assert response.status_code == 422
    assert said in response.content.decode()
    assert not case.timeline.filter(kind="comment").exists()


def test_it_changes_the_status_and_says_what_stays_open(as_user, analyst, case):
    response = as_user(analyst).post(
        "/cases/RISK-1/change",
        {"status": "CLOSED", "seen": case.modified_at.isoformat()},
        follow=True,
    )

    case.refresh_from_db()
    assert case.status == "CLOSED"
    shown = response.content.decode()
    assert "1 finding is still open. Closing the case does not close it." in shown
    assert "Status changed from <b>Open</b> to <b>Closed</b> by <b>Alan Analyst</b>" in shown


def test_it_changes_only_what_was_sent(as_user, analyst, editor, case):
    services.change_case(case, assignee=editor, actor=None)

    as_user(analyst).post(
        "/cases/RISK-1/change", {"priority": "P4", "seen": timezone.now().isoformat()}
    )

    case.refresh_from_db()
    assert (case.priority, case.assignee) == ("P4", editor)


def test_it_unassigns(as_user, analyst, editor, case):
    services.change_case(case, assignee=editor, actor=None)

    as_user(analyst).post(
        "/cases/RISK-1/change", {"assignee": "", "seen": timezone.now().isoformat()}
    )

    case.refresh_from_db()
    assert case.assignee is None


@pytest.mark.parametrize(
    "seen", ["2026-01-01T00:00:00+00:00", "", "nonsense", "2026-01-01", "9" * 50]
)
def test_it_tells_the_second_of_two_who_change_the_status(as_user, analyst, editor, case, seen):
    services.change_case(case, status="IN_PROGRESS", actor=editor)

    response = as_user(analyst).post(
        "/cases/RISK-1/change", {"status": "CLOSED", "seen": seen}, follow=True
    )

    case.refresh_from_db()
    assert case.status == "IN_PROGRESS"
    assert "Edith Editor changed the status of this case at" in response.content.decode()


def test_two_may_choose_the_same_status(as_user, analyst, editor, case):
    seen = case.modified_at.isoformat()
    services.change_case(case, status="CLOSED", actor=editor)

    response = as_user(analyst).post(
        "/cases/RISK-1/change", {"status": "CLOSED", "seen": seen}, follow=True
    )

    assert "Not changed" not in response.content.decode()
    assert case.timeline.filter(kind="status").count() == 1


@pytest.mark.parametrize(
    "sent", [{"status": "DONE"}, {"priority": "P9"}, {"assignee": "x"}, {"assignee": uuid.uuid4()}]
)
def test_it_refuses_what_is_no_choice(as_user, analyst, case, sent):
    response = as_user(analyst).post("/cases/RISK-1/change", sent, follow=True)

    assert "Not changed." in response.content.decode()
    assert list(case.timeline.values_list("kind", flat=True)) == ["created"]


def test_it_refuses_somebody_who_left(as_user, analyst, case):
    gone = UserFactory(is_active=False)

    response = as_user(analyst).post("/cases/RISK-1/change", {"assignee": gone.pk}, follow=True)

    assert "That person is not active. Select another." in response.content.decode()


def test_it_edits_title_and_description(as_user, analyst, case):
    browser = as_user(analyst)
    assert 'name="seen"' in browser.get("/cases/RISK-1/edit").content.decode()

    said = {"title": "New", "description": "Text\r\nmore", "seen": case.modified_at.isoformat()}
    assert browser.post("/cases/RISK-1/edit", said).url == "/cases/RISK-1"

    case.refresh_from_db()
    assert (case.title, case.description) == ("New", "Text\nmore")


def test_it_edits_the_due_date_and_gives_it_back_to_the_findings(as_user, analyst, case):
    browser, said = as_user(analyst), {"title": "Leak", "description": ""}
    seen = {"seen": "2999-01-01T00:00:00+00:00"}
    browser.post("/cases/RISK-1/edit", said | seen | {"due_date": "2026-12-01"})
    case.refresh_from_db()
    assert case.own_due_date == date(2026, 12, 1)
    assert 'value="2026-12-01"' in browser.get("/cases/RISK-1/edit").content.decode()
    shown = browser.get("/cases/RISK-1").content.decode()
    assert "Set by hand" in shown
    assert "Due on <b>2026-12-01</b>" in shown
    for said_of_it, day in (({}, date(2026, 12, 1)), ({"due_date": ""}, None)):
        browser.post("/cases/RISK-1/edit", said | seen | said_of_it)
        case.refresh_from_db()
        assert case.due_date == day


def set_due(browser, **said):
    return browser.post("/cases/RISK-1/due", said)


def test_a_person_sets_the_due_date_and_clears_it(as_user, analyst, case):
    browser = as_user(analyst)
    set_due(browser, due_date="2030-01-31", seen=timezone.now().isoformat())
    shown = show(browser)
    assert '<time datetime="2030-01-31">31 Jan 2030</time>' in shown
    assert "Set by hand" in shown
    assert "Due on <b>2030-01-31</b> by <b>Alan Analyst</b>" in shown
    set_due(browser, clear="yes", due_date="2030-01-31", seen=timezone.now().isoformat())
    case.refresh_from_db()
    assert (case.due_date, case.is_due_by_hand) == (None, False)


@pytest.mark.parametrize("day", ["tomorrow", "0001-01-01", "9999-12-31", "2030-02-30", "1e9"])
def test_it_takes_no_day_that_is_none(as_user, analyst, case, day):
    browser = as_user(analyst)
    set_due(browser, due_date=day)
    assert "Due date not changed" in show(browser)
    for form in ("/cases/RISK-1/edit", "/cases/new"):
        answer = browser.post(form, {"title": "One", "due_date": day})
        assert answer.status_code == 422
        assert 'id="id_due_date_error"' in answer.text
    assert Case.objects.get().due_date is None


def test_it_tells_the_second_of_two_who_set_the_due_date(as_user, analyst, editor, case):
    seen = timezone.now().isoformat()
    details.set_due_date(case, date(2030, 1, 1), actor=editor)
    browser = as_user(analyst)
    set_due(browser, due_date="2031-01-01", seen=seen)
    assert "Edith Editor changed the due date of this case at" in show(browser)
    assert Case.objects.get().due_date == date(2030, 1, 1)


def test_a_new_case_may_have_a_due_date(as_user, analyst, project):
    said = {"project": str(project.pk), "title": "Mine", "due_date": "2030-01-31"}
    as_user(analyst).post("/cases/new", said)
    case = Case.objects.get()
    assert (case.due_date, case.is_due_by_hand) == (date(2030, 1, 31), True)


def test_it_keeps_what_the_second_of_two_editors_typed(as_user, analyst, editor, case):
    seen = timezone.now() - timedelta(minutes=1)
    services.change_case(case, title="First", actor=editor)
    said = {"title": "Second", "seen": seen.isoformat()}

    refused = as_user(analyst).post("/cases/RISK-1/edit", said)

    case.refresh_from_db()
    assert (refused.status_code, case.title) == (409, "First")
    shown = refused.content.decode()
    assert "Edith Editor changed the title of this case at" in shown
    assert 'value="Second"' in shown

    again = said | {"seen": refused.context["form"]["seen"].value()}
    as_user(analyst).post("/cases/RISK-1/edit", again)
    case.refresh_from_db()
    assert case.title == "Second"


def test_a_comment_is_no_conflict(as_user, analyst, editor, case):
    seen = case.modified_at.isoformat()
    services.comment(case, "Meanwhile", actor=editor)

    said = {"title": "New", "description": case.description, "seen": seen}
    assert as_user(analyst).post("/cases/RISK-1/edit", said).status_code == 302


@pytest.mark.parametrize("title", ["", " ", "x" * 256, "a\0b"])
def test_it_refuses_a_title_that_is_none(as_user, analyst, case, title):
    response = as_user(analyst).post("/cases/RISK-1/edit", {"title": title})

    assert response.status_code == 422
    assert "Fix 1 field to save this case." in response.content.decode()


@pytest.mark.parametrize(
    "form",
    [
        "{id}",
        "https://x.example/findings/{id}",
        "/findings/{id}",
        "/findings?q=x&finding={id}&tab=why",
    ],
)
def test_it_attaches_a_finding_by_its_id_or_link(as_user, analyst, case, form):
    other = FindingFactory()

    as_user(analyst).post("/cases/RISK-1/attach", {"findings": form.format(id=other.finding_id)})

    assert Attachment.objects.get(finding=other).case == case


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Enter the ID or link of a finding."),
        ("nonsense", "“nonsense” is not a finding."),
        ("https://x.example", "is not a finding."),
        ("http://[", "is not a finding."),
        ("<script>", "“&lt;script&gt;” is not a finding."),
        (" ".join(f"f{n}" for n in range(51)), "A ticket takes up to 50 findings at once"),
    ],
)
def test_it_says_why_a_finding_is_not_attached(as_user, analyst, case, text, said):
    response = as_user(analyst).post("/cases/RISK-1/attach", {"findings": text})

    assert response.status_code == 422
    assert said in response.content.decode()


def test_it_attaches_nothing_to_an_archived_case(as_user, analyst, case):
    services.archive(case, actor=None)

    response = as_user(analyst).post(
        "/cases/RISK-1/attach", {"findings": FindingFactory().finding_id}
    )

    assert "RISK-1 is archived. Unarchive it first." in response.content.decode()


def test_it_asks_before_it_detaches(as_user, analyst, case, finding):
    browser, said = as_user(analyst), {"finding": finding.finding_id}

    asked = browser.post("/cases/RISK-1/detach", said).content.decode()
    assert "Detach this finding from RISK-1?" in asked
    assert f'name="finding" value="{finding.finding_id}"' in asked
    assert case.attachments.exists()

    sent = said | {"confirmed": "yes"}
    page = browser.post("/cases/RISK-1/detach", sent, follow=True).content.decode()
    assert "The ticket is not deleted. Without an open finding it is closed." in page
    assert not case.attachments.exists()


def test_it_detaches_some_and_says_what_stays(as_user, analyst, case):
    more = FindingFactory.create_batch(3)
    services.attach(case, [each.pk for each in more], actor=analyst)
    browser, said = as_user(analyst), {"finding": [each.finding_id for each in more[:2]]}
    asked = browser.post("/cases/RISK-1/detach", said).content.decode()
    assert "Detach 2 findings from RISK-1?" in asked
    assert "The other 2 stay in RISK-1." in asked
    page = browser.post("/cases/RISK-1/detach", said | {"confirmed": "yes"}, follow=True)
    assert "2 findings detached" in page.content.decode()
    assert case.attachments.count() == 2


def test_it_detaches_nothing_from_another_case(as_user, analyst, case, project):
    elsewhere = FindingFactory()
    services.open_manual_case([elsewhere.pk], project=project, actor=analyst)
    for named in ([elsewhere.finding_id], ["nonsense"], ["\0"], []):
        sent = {"finding": named, "confirmed": "yes"}
        response = as_user(analyst).post("/cases/RISK-1/detach", sent, follow=True)
        assert "Select findings of the case first." in response.content.decode()
    assert Attachment.objects.filter(finding=elsewhere).exists()


def test_it_asks_before_it_moves(as_user, analyst, case):
    browser, other = as_user(analyst), ProjectFactory(key="OPS", name="Operations")
    sent = {"project": other.pk}

    asked = browser.post("/cases/RISK-1/move", sent).content.decode()
    assert "Move RISK-1 to Operations?" in asked
    assert f'name="project" value="{other.pk}"' in asked

    assert browser.post("/cases/RISK-1/move", sent | {"confirmed": "yes"}).url == "/cases/OPS-1"


@pytest.mark.parametrize("chosen", ["", "x", uuid.uuid4()])
def test_it_moves_to_no_project_that_is_none(as_user, analyst, case, chosen):
    sent = {"project": chosen, "confirmed": "yes"}
    response = as_user(analyst).post("/cases/RISK-1/move", sent, follow=True)
    assert "That project does not exist." in response.content.decode()


def test_it_archives_and_takes_it_back(as_user, analyst, case):
    browser = as_user(analyst)
    assert "Archive RISK-1?" in browser.get("/cases/RISK-1/archive").content.decode()

    assert (
        "This case is archived."
        in browser.post("/cases/RISK-1/archive", follow=True).content.decode()
    )

    browser.post("/cases/RISK-1/unarchive")
    case.refresh_from_db()
    assert case.archived_at is None


@pytest.mark.parametrize("action", [*ACTIONS, "detach", "split"])
def test_it_lets_no_viewer_do_anything(as_user, viewer, case, action):
    assert as_user(viewer).post(f"/cases/RISK-1/{action}").status_code == 403


def test_it_offers_nothing_to_a_viewer(as_user, viewer, case):
    shown = show(as_user(viewer))
    assert not [action for action in ACTIONS if f'/cases/RISK-1/{action}"' in shown]
    assert "status-menu" not in shown


@pytest.mark.parametrize("action", ["change", "comment", "attach", "detach", "split", "move"])
def test_it_changes_nothing_by_a_link(as_user, analyst, case, action):
    assert as_user(analyst).get(f"/cases/RISK-1/{action}").status_code == 405


def test_it_creates_a_case(as_user, analyst, editor, project, finding):
    said = {
        "project": project.pk,
        "title": "Rotate keys",
        "description": "**Now**",
        "priority": "P2",
        "assignee": editor.pk,
        "findings": f"{finding.finding_id}\n{finding.finding_id}",
    }
    assert as_user(analyst).post("/cases/new", said).url == "/cases/RISK-1"

    case = Case.objects.get()
    assert (case.title, case.priority, case.assignee) == ("Rotate keys", "P2", editor)
    assert (case.origin, case.created_by) == ("manual", analyst)
    assert case.attachments.get().finding == finding


def test_it_creates_a_case_without_findings(as_user, analyst, project):
    as_user(analyst).post("/cases/new", {"project": project.pk, "title": "Plan"})
    assert (Case.objects.get().priority, Case.objects.get().description) == ("NOT_DEFINED", "")


def test_it_takes_priority_and_text_from_the_findings(as_user, analyst, project, finding):
    said = {"project": project.pk, "title": "Plan", "findings": finding.finding_id}
    as_user(analyst).post("/cases/new", said)
    assert Case.objects.get().priority == "P1"


def test_it_fills_the_form_from_a_link(as_user, analyst, project):
    shown = as_user(analyst).get("/cases/new?finding=abc&finding=def").content.decode()
    assert "abc\ndef" in shown


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Fix 2 fields to save this case."),
        ({"title": "x", "project": uuid.uuid4()}, "Select a project."),
        ({"title": "x", "assignee": uuid.uuid4()}, "Select a person."),
        ({"title": "x", "findings": "nonsense"}, "“nonsense” is not a finding."),
        ({"title": "x", "description": "x" * 100_001}, "takes up to 100,000 characters"),
    ],
)
def test_it_creates_no_case_from_a_wrong_form(as_user, analyst, project, sent, said):
    response = as_user(analyst).post("/cases/new", sent)

    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Case.objects.exists()


def test_it_asks_for_a_project_first(as_user, analyst, editor):
    assert "Ask an automation editor" in as_user(analyst).get("/cases/new").content.decode()
    assert "Create a project first" in as_user(editor).get("/cases/new").content.decode()


def test_it_lets_no_viewer_create_a_case(as_user, viewer, project):
    assert as_user(viewer).get("/cases/new").status_code == 403
    assert as_user(viewer).post("/cases/new").status_code == 403
