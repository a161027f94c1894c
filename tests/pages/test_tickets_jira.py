"""Tickets by hand in Jira: creating, waiting, attaching to what is there."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache

from tests.desk import REQUIRED, TEAM_ID, TYPED
from tests.factories import FindingFactory, JiraAccountFactory, ProjectFactory, UserFactory
from tests.jira_places import destination_at
from ticketing import bulk
from ticketing.delivery import deliver_due
from ticketing.models import Attachment, Case, ExternalIssue, JiraUser
from ticketing.services import archive
from ticketing.trackers.jira.sandbox.defaults import DANA, OF_AN_APP, ORG_TEAM, ORG_TEAMS

CREATE = r"POST .*/issue$"
TEAM = "customfield_10020"


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(db, jira, project):
    return destination_at(jira, project=project)


@pytest.fixture
def findings(db):
    return [FindingFactory(title=f"Finding {number}", severity="high") for number in range(3)]


def ids(findings) -> list[str]:
    return [finding.finding_id for finding in findings]


def create(client, findings, place, **data):
    said = {"finding": ids(findings), "save": "yes", "project": f"jira:{place.project_id}"}
    return client.post("/tickets/new", said | data)


def attach(client, findings, key, **data):
    said = {"finding": ids(findings), "save": "yes", "key": key}
    return client.post("/tickets/attach", said | data)


def said(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def attached(case) -> set[int]:
    return set(Attachment.objects.filter(case=case).values_list("finding_id", flat=True))


def progress(client, *keys, look=1) -> str:
    answer = client.get(f"/tickets/progress?cases={','.join(keys)}&look={look}")
    return answer.content.decode()


# --- Creating ---------------------------------------------------------------------------


def test_it_offers_jira_and_case_management(as_user, analyst, place, findings):
    body = as_user(analyst).post("/tickets/new", {"finding": ids(findings)}).content.decode()

    assert '<optgroup label="Jira">' in body
    assert f"SEC · Task in {place.account.host} (Cloud Risk)" in body
    assert '<optgroup label="Case Management">' in body


def test_it_creates_one_issue_for_all(as_user, analyst, place, jira, findings):
    answer = create(as_user(analyst), findings, place, mode="one")
    assert "Creating the ticket in Jira" in said(answer)
    assert "/tickets/progress?cases=RISK-1" in said(answer)

    deliver_due()

    [issue] = jira.issues("SEC")
    assert issue.fields["summary"] == "3 findings: Finding 0"
    assert attached(Case.objects.get()) == {finding.pk for finding in findings}


def test_it_creates_one_issue_for_each(as_user, analyst, place, jira, findings):
    create(as_user(analyst), findings, place, mode="each")

    deliver_due()

    assert len(jira.issues("SEC")) == 3


def test_it_assigns_the_issue_to_who_that_is_there(as_user, analyst, place, jira, findings):
    dana = UserFactory(name="Dana")
    JiraUser.objects.create(account=place.account, user_id=DANA.account_id, person=dana)

    create(as_user(analyst), findings[:1], place, assignee=str(dana.pk))
    deliver_due()

    assert jira.issue("SEC-1").fields["assignee"] == DANA.account_id
    assert Case.objects.get().assignee == dana


@pytest.fixture
def team_required(jira):
    cache.clear()
    jira.require_field("SEC", TEAM)
    yield
    cache.clear()


@pytest.mark.usefixtures("team_required")
def test_it_asks_for_the_fields_that_jira_requires(as_user, analyst, place, jira, findings):
    client = as_user(analyst)
    answer = create(client, findings, place, mode="each")
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "Team is required for Task in SEC. Select a value." in body
    assert '<option value="10300">Red</option>' in body
    assert not Case.objects.exists()

    create(client, findings, place, mode="each", **{f"field_{TEAM}": "10300"})
    deliver_due()
    assert [issue.fields[TEAM] for issue in jira.issues("SEC")] == ["10300"] * 3


@pytest.mark.usefixtures("team_required")
def test_it_asks_for_them_for_a_bulk_run_too(as_user, analyst, place, jira, findings):
    client = as_user(analyst)
    said = {"search": "", "number": "3", "save": "yes", "project": f"jira:{place.project_id}"}
    assert "Team is required" in client.post("/bulk/new/tickets", said).content.decode()

    client.post("/bulk/new/tickets", said | {f"field_{TEAM}": "10300"})
    bulk.work_due()
    deliver_due()
    assert [issue.fields[TEAM] for issue in jira.issues("SEC")] == ["10300"] * 3


def test_it_promises_the_ticket_when_jira_does_not_say_what_it_requires(
    as_user, analyst, place, jira, findings
):
    cache.clear()
    jira.faults.answer(r"GET .*/createmeta/.*", 503, {})

    create(as_user(analyst), findings, place)

    assert ExternalIssue.objects.count() == 1


def test_it_creates_a_ticket_over_the_limit_by_hand(as_user, analyst, place, jira, findings):
    findings[0].ticket = "over_limit"
    findings[0].save(update_fields=["ticket"])

    create(as_user(analyst), findings[:1], place)
    deliver_due()

    findings[0].refresh_from_db()
    assert findings[0].ticket == "manual"


@pytest.mark.parametrize("mode", ["one", "each"])
def test_it_creates_nothing_for_51_findings(as_user, analyst, place, mode):
    many = FindingFactory.create_batch(51)

    answer = create(as_user(analyst), many, place, mode=mode)

    assert answer.status_code == 422
    assert not ExternalIssue.objects.exists()


def test_it_creates_nothing_in_a_project_without_jira(as_user, analyst, place, findings):
    other = ProjectFactory(key="OPS")

    answer = create(as_user(analyst), findings, place, project=f"jira:{other.pk}")

    assert answer.status_code == 422
    assert not Case.objects.exists()


# --- Waiting ----------------------------------------------------------------------------


def test_it_waits_and_then_says_the_key(as_user, analyst, place, findings):
    client = as_user(analyst)
    create(client, findings[:1], place)
    waiting = progress(client, "RISK-1")
    assert "data-waits" in waiting
    assert "look=2" in waiting
    assert "being created in Jira" in waiting

    deliver_due()

    done = progress(client, "RISK-1")
    assert "Ticket SEC-1 created" in done
    assert "data-waits" not in done
    assert f"hx-swap-oob=\"outerHTML:[data-ticket='{findings[0].finding_id}']\"" in done
    assert "<span>SEC-1</span>" in done


def test_it_stops_waiting_at_some_time(as_user, analyst, place, findings):
    client = as_user(analyst)
    create(client, findings[:1], place)

    assert "This is taking longer than usual." in progress(client, "RISK-1", look=40)


def test_it_says_which_ticket_failed_and_tries_again(as_user, analyst, place, jira, findings):
    client = as_user(analyst)
    jira.faults.answer(CREATE, 400, {"errorMessages": ["The workflow says no."], "errors": {}})
    create(client, findings, place, mode="each")
    deliver_due()

    body = progress(client, "RISK-1", "RISK-2", "RISK-3")
    assert "2 of 3 tickets created" in body
    assert "The workflow says no." in body
    assert 'name="cases" value="RISK-' in body

    client.post("/tickets/retry", {"cases": "RISK-1,RISK-2,RISK-3"})
    deliver_due()
    assert "3 tickets created" in progress(client, "RISK-1", "RISK-2", "RISK-3")


@pytest.mark.parametrize("query", ["", "?cases=", "?cases=%00,X-9&look=x", "?look=-1"])
def test_it_survives_nonsense_in_the_address_of_progress(as_user, viewer, query):
    assert as_user(viewer).get(f"/tickets/progress{query}").status_code == 200


def test_it_says_that_nothing_is_on_its_way(as_user, viewer, place):
    assert "No ticket is on its way to Jira" in progress(as_user(viewer), "RISK-1")


def test_it_lets_no_viewer_try_again(as_user, viewer):
    assert as_user(viewer).post("/tickets/retry").status_code == 403


# --- Attaching --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["{key}", " {lower} ", "{url}/browse/{key}", "{url}/x?selectedIssue={key}"]
)
def test_it_opens_a_case_for_an_issue_that_is_there(as_user, analyst, place, jira, findings, form):
    key = jira.create_issue("SEC", "Rotate the keys").key

    answer = attach(
        as_user(analyst), findings, form.format(key=key, lower=key.lower(), url=jira.url)
    )

    case = Case.objects.get()
    assert f"3 findings attached to {key}" in said(answer)
    assert (case.title, attached(case)) == ("Rotate the keys", {f.pk for f in findings})
    assert ExternalIssue.objects.get().issue_key == key
    assert len(jira.issues("SEC")) == 1


def test_it_finds_the_case_that_has_the_issue(as_user, analyst, place, jira, findings):
    client = as_user(analyst)
    key = jira.create_issue("SEC", "Rotate the keys").key
    for finding in findings:
        attach(client, [finding], key)

    assert len(attached(Case.objects.get())) == 3


def test_it_finds_the_case_of_an_issue_that_moved(as_user, analyst, place, jira, findings):
    client = as_user(analyst)
    key = jira.create_issue("SEC", "Rotate the keys").key
    attach(client, findings[:1], key)
    moved = jira.move(key, "PLAT")

    attach(client, findings[1:], f"{jira.url}/browse/{moved.key}")

    assert len(attached(Case.objects.get())) == 3


def test_it_prefers_the_key_of_a_case(as_user, analyst, place, jira, findings):
    client = as_user(analyst)
    create(client, findings[:1], place, project=str(place.project_id))

    answer = attach(client, findings[1:], "risk-1")

    assert "2 findings attached to RISK-1" in said(answer)
    assert not ExternalIssue.objects.exists()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("SEC-99999", "SEC-99999 was not found in 127.0.0.1"),
        ("https://elsewhere.example/browse/SEC-1", "elsewhere.example is not a connected Jira"),
        ("https://user:pass@elsewhere.example/SEC-1", "elsewhere.example is not a connected"),
        ("javascript:alert(1)", "is not a case key, a Jira key or a Jira address."),
        ("http://[", "is not an address."),
        ("<script>alert(1)</script>", "is not a case key"),
        ("x" * 501, "at most 500 characters"),
        ("", "Enter a Jira key or URL, or a case key."),
    ],
)
def test_it_says_why_there_is_nothing_to_attach_to(as_user, analyst, place, findings, key, why):
    answer = attach(as_user(analyst), findings, key)

    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert "<script>alert" not in answer.content.decode()
    assert not Case.objects.exists()


def test_it_says_that_jira_does_not_let_us_in(as_user, analyst, place, jira, findings):
    jira.revoke_token()

    answer = attach(as_user(analyst), findings, "SEC-1")

    assert answer.status_code == 422
    assert "credentials" in answer.content.decode()


def test_it_attaches_nothing_to_the_issue_of_an_archived_case(
    as_user, analyst, place, jira, findings
):
    client = as_user(analyst)
    key = jira.create_issue("SEC", "Rotate the keys").key
    attach(client, findings[:1], key)
    archive(Case.objects.get(), actor=analyst)

    answer = attach(client, findings[1:], key)

    assert "RISK-1 is archived. Unarchive it first." in answer.content.decode()


def test_it_asks_which_project_the_case_is_for(as_user, analyst, place, jira, findings):
    other = destination_at(jira, account=place.account, project=ProjectFactory(key="OPS"))
    key = jira.create_issue("SEC", "Rotate the keys").key
    client = as_user(analyst)

    asked = attach(client, findings, key)
    assert f"Select the project of the case for {key}." in asked.content.decode()

    attach(client, findings, key, project=str(other.project_id))
    assert Case.objects.get().project == other.project


def test_it_has_no_project_for_the_space_of_the_issue(as_user, analyst, place, jira, findings):
    key = jira.create_issue("PLAT", "Rotate the keys").key

    answer = attach(as_user(analyst), findings, f"{jira.url}/browse/{key}")

    assert "No project is linked to PLAT" in answer.content.decode()


def test_it_asks_for_the_address_where_a_key_may_be_in_two(as_user, analyst, place, findings):
    JiraAccountFactory()
    place.space_key = "OTHER"
    place.save(update_fields=["space_key"])

    answer = attach(as_user(analyst), findings, "SEC-1")

    assert "may be in several Jira accounts" in answer.content.decode()


def test_it_asks_by_hand_for_what_few_spaces_ask_for(as_user, analyst, jira, findings, project):
    cache.clear()
    desk = destination_at(jira, space="DESK", project=project)
    client = as_user(analyst)

    body = create(client, findings[:1], desk).content.decode()
    assert "Team is required for Task in DESK. Select a value." in body
    assert f'<option value="{TEAM_ID}">Payments</option></datalist>' in body.replace(
        f'<option value="{ORG_TEAMS[2].id}">Platform &amp; tools</option>', ""
    )
    assert "JSON as Jira wants it" in body

    create(client, findings[:1], desk, **TYPED)
    deliver_due()
    [issue] = jira.issues("DESK")
    assert issue.fields[OF_AN_APP.id] == REQUIRED[OF_AN_APP.id]
    assert issue.fields[ORG_TEAM.id] == TEAM_ID
