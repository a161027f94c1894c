from __future__ import annotations

import pytest
from django.contrib.messages import get_messages

from automation.rules.services import delete_rule
from findings.facts import Ticket
from findings.models import Finding
from tests.factories import FindingFactory, ProjectFactory
from tests.html_tree import tree
from tests.pages.groups import found
from ticketing.attachments import Subject
from ticketing.models import Attachment, Case
from ticketing.services import CaseDraft, archive, move, open_cases, open_manual_case


@pytest.fixture
def findings(db):
    return [FindingFactory(title=f"Finding {number}") for number in range(3)]


@pytest.fixture
def case(project, findings, analyst) -> Case:
    """RISK-1 by hand, with the first finding."""
    return open_manual_case([findings[0].pk], project=project, actor=analyst)


@pytest.fixture
def rule_case(project, findings, make_rule) -> Case:
    """RISK-1 by the rule "Exposed secrets", with the first finding."""
    rule = make_rule("Exposed secrets")
    [case] = open_cases(
        [
            CaseDraft(
                project_id=project.pk,
                title="AWS key in a repository",
                description="",
                priority="P1",
                origin=Case.Origin.RULE,
                findings=(Subject(findings[0].pk, {}),),
                rule_id=rule.pk,
                rule_name=rule.name,
                rule_set_version=1,
            )
        ]
    )
    return case


def ids(findings) -> list[str]:
    return [finding.finding_id for finding in findings]


def attached(case) -> set[int]:
    return set(Attachment.objects.filter(case=case).values_list("finding_id", flat=True))


def said(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def save(client, address, findings, **data):
    return client.post(address, {"finding": ids(findings), "save": "yes", **data})


# --- Creating ---------------------------------------------------------------------------


def test_it_asks_where_the_ticket_goes(as_user, analyst, project, findings):
    answer = as_user(analyst).post("/tickets/new", {"finding": ids(findings), "mode": "one"})

    body = answer.content.decode()
    assert answer.status_code == 200
    assert "A single ticket that links all 3 findings." in body
    assert "RISK Cloud Risk" in body
    assert not Case.objects.exists()


def test_it_creates_one_ticket_for_all(as_user, analyst, editor, project, findings):
    answer = save(
        as_user(analyst),
        "/tickets/new",
        findings,
        mode="one",
        project=str(project.pk),
        assignee=str(editor.pk),
    )

    case = Case.objects.get()
    assert attached(case) == {finding.pk for finding in findings}
    assert (case.origin, case.created_by, case.assignee) == ("manual", analyst, editor)
    assert "Ticket RISK-1 created" in said(answer)


def test_it_creates_one_ticket_for_each(as_user, analyst, project, findings):
    answer = save(as_user(analyst), "/tickets/new", findings, mode="each", project=str(project.pk))

    assert [len(attached(case)) for case in Case.objects.all()] == [1, 1, 1]
    assert "3 tickets created: RISK-1 to RISK-3" in said(answer)


def test_it_says_which_tickets_the_findings_have_already(as_user, analyst, findings, case):
    body = as_user(analyst).post("/tickets/new", {"finding": ids(findings)}).content.decode()

    assert "1 of them already have a ticket (RISK-1) and will move" in body


@pytest.mark.parametrize("mode", ["one", "each"])
def test_it_refuses_more_findings_than_a_ticket_takes(as_user, analyst, project, mode):
    many = [FindingFactory() for _ in range(51)]

    answer = save(as_user(analyst), "/tickets/new", many, mode=mode, project=str(project.pk))

    assert answer.status_code == 422
    assert "A ticket takes up to 50 findings at once; 51 are selected." in answer.content.decode()
    assert not Case.objects.exists()


@pytest.mark.parametrize("where", ["", "nonsense", "5d2c8a4e-2b5c-4c8e-9d6e-0a1b2c3d4e5f"])
def test_it_refuses_a_project_that_is_none(as_user, analyst, project, findings, where):
    answer = save(as_user(analyst), "/tickets/new", findings, mode="one", project=where)

    assert answer.status_code == 422
    assert not Case.objects.exists()


# --- Attaching --------------------------------------------------------------------------


def test_it_attaches_findings_to_a_case(as_user, analyst, findings, case):
    answer = save(as_user(analyst), "/tickets/attach", findings[1:], key=" risk-1 ")

    assert attached(case) == {finding.pk for finding in findings}
    assert "2 findings attached to RISK-1" in said(answer)


def test_it_finds_a_case_under_its_former_key(as_user, analyst, findings, case):
    move(case, ProjectFactory(key="OPS"), actor=analyst)

    save(as_user(analyst), "/tickets/attach", findings[1:2], key="RISK-1")

    assert attached(case) == {finding.pk for finding in findings[:2]}


@pytest.mark.parametrize("key", ["", "SEC-99999", "x" * 41, "a\0b"])
def test_it_refuses_a_key_of_no_case(as_user, analyst, findings, case, key):
    answer = save(as_user(analyst), "/tickets/attach", findings[1:], key=key)

    assert answer.status_code == 422
    assert attached(case) == {findings[0].pk}


def test_it_attaches_nothing_to_an_archived_case(as_user, analyst, findings, case):
    archive(case, actor=analyst)

    answer = save(as_user(analyst), "/tickets/attach", findings[1:], key="RISK-1")

    assert "is archived" in answer.content.decode()
    assert attached(case) == {findings[0].pk}


# --- Detaching --------------------------------------------------------------------------


def test_it_asks_before_it_detaches(as_user, analyst, findings, case):
    answer = as_user(analyst).get(f"/tickets/{findings[0].finding_id}/detach")

    assert "Detach RISK-1 from this finding?" in answer.content.decode()
    assert attached(case) == {findings[0].pk}


def test_it_detaches_and_keeps_the_ticket(as_user, analyst, findings, case):
    answer = as_user(analyst).post(f"/tickets/{findings[0].finding_id}/detach")

    findings[0].refresh_from_db()
    assert findings[0].ticket == Ticket.NONE
    assert Case.objects.get() == case
    assert "Detached from RISK-1" in said(answer)


@pytest.mark.parametrize("which", ["nothing", "without a ticket"])
def test_it_has_nothing_to_detach(as_user, analyst, findings, which):
    finding_id = "nothing" if which == "nothing" else findings[1].finding_id

    assert as_user(analyst).post(f"/tickets/{finding_id}/detach").status_code == 404


# --- The popover ------------------------------------------------------------------------


def popover(client, finding) -> str:
    return client.get(f"/tickets/{finding.finding_id}/popover").content.decode()


def test_it_tells_which_rule_made_the_ticket(as_user, viewer, findings, rule_case):
    body = popover(as_user(viewer), findings[0])

    assert "Created automatically by rule" in body
    assert f"/settings/findings-automation/{rule_case.rule_id}/edit" in body
    assert "AWS key in a repository" in body
    assert f'href="/findings?q=%40ticket.rule%3A{rule_case.rule_id}"' in body
    assert "Detach" not in body


def test_it_says_for_how_many_the_ticket_stands(as_user, analyst, make_rule):
    make_rule("Libraries", group_by=["package"])
    found(3)
    client, finding = as_user(analyst), Finding.objects.latest("pk")
    body = tree(popover(client, finding)).text
    assert "by rule Libraries , one ticket per package. It stands for this finding and 2" in body
    assert "Detach this finding" in body
    assert "Detaching leaves the other 2 in RISK-1." in body
    url = f"/tickets/{finding.finding_id}/detach"
    assert "The other 2 stay in RISK-1." in client.get(url).content.decode()


def test_it_says_when_the_finding_came_to_it(as_user, analyst, make_rule, frozen):
    make_rule(group_by=["package"])
    found(1)
    frozen.shift(3600)
    found(1, prefix="later")
    first, later = Finding.objects.order_by("pk")
    body = popover(as_user(analyst), later)
    assert "This finding <time" in body
    assert "Detaching leaves the other one in RISK-1." in body
    assert "This finding <time" not in popover(as_user(analyst), first)


def test_it_names_a_deleted_rule_without_a_link(as_user, analyst, editor, findings, rule_case):
    delete_rule(rule_case.rule_id, actor=editor)

    body = popover(as_user(analyst), findings[0])

    assert "<b>Exposed secrets</b>" in body
    assert "(deleted)" in body
    assert f"{rule_case.rule_id}/edit" not in body
    assert "Detach" in body


def test_it_tells_who_made_the_ticket(as_user, analyst, findings, case):
    body = popover(as_user(analyst), findings[0])

    assert "Created by<br><b>Alan Analyst</b>" in body
    assert 'class="bolt' not in body
    assert "from this rule" not in body


def test_it_escapes_the_names_in_the_popover(as_user, viewer, findings, rule_case):
    evil = '"><img src=x onerror=alert(1)>'
    Case.objects.update(title=evil, rule_name=evil, rule_id=None)

    assert "<img" not in popover(as_user(viewer), findings[0])


def test_it_has_a_popover_only_for_a_ticket(as_user, viewer, findings):
    client = as_user(viewer)

    assert client.get(f"/tickets/{findings[0].finding_id}/popover").status_code == 404
    assert client.get("/tickets/nothing/popover").status_code == 404
    assert client.post(f"/tickets/{findings[0].finding_id}/popover").status_code == 405


def test_it_marks_who_made_the_ticket_in_the_list(as_user, viewer, findings, rule_case):
    body = as_user(viewer).get("/findings").content.decode()

    assert f'data-popover="/tickets/{findings[0].finding_id}/popover"' in body
    assert 'href="/cases/RISK-1"' in body
    assert "By a rule:" in body


@pytest.mark.parametrize("address", ["/tickets/new", "/tickets/attach", "/tickets/{}/detach"])
def test_it_lets_viewers_change_no_ticket(as_user, viewer, findings, case, address):
    answer = save(as_user(viewer), address.format(findings[0].finding_id), findings, key="RISK-1")

    assert answer.status_code == 403
    assert attached(case) == {findings[0].pk}
