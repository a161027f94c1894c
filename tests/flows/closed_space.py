"""Every way in which somebody could get at a space of Jira that an admin closed.

Each is tried in a world of its own; `closed_space_doors` holds that none is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client

from automation.destinations import early_warning
from automation.models import Rule, RuleCheck
from automation.pipeline import evaluate_all
from automation.rules import services
from automation.rules.data import InvalidRule
from config.accounts.models import User
from findings.models import Evaluation, Finding
from tests.api.rules import URL as RULES
from tests.api.rules import said as rule_document
from tests.factories import ExternalIssueFactory, opened_case, ticket_rule
from ticketing import bulk, destinations, outbox
from ticketing.allowed_spaces import SpaceClosed
from ticketing.delivery import deliver_due
from ticketing.destinations import Place
from ticketing.models import Case, Destination, JiraAccount, Project
from ticketing.services import move
from ticketing.states import State
from ticketing.trackers.base import IssueRef
from ticketing.trackers.jira.sandbox import SandboxJira
from ticketing.trackers.jira.sandbox.defaults import TASK

SECRET = "Merger with Initech"
EDITOR = "/settings/findings-automation"
FINDINGS = "/api/v2/security/findings"


@dataclass
class World:
    """A project whose space, SEC, was closed after it was linked, and who may try."""

    jira: SandboxJira
    place: Destination  # in SEC
    project: Project  # linked to nothing
    finding: Finding
    key: str  # of an issue in SEC
    editor: Client
    analyst: Client
    machine: Client

    @property
    def account(self) -> JiraAccount:
        return self.place.account

    @property
    def issue_url(self) -> str:
        return f"{self.jira.url}/browse/{self.key}"

    @property
    def in_sec(self) -> Place:
        place = self.place
        return Place(place.space_id, "SEC", "Security", place.type_id, "Task")

    def form(self, **more: Any) -> dict[str, Any]:
        place = {"account": str(self.account.pk), "space": self.place.space_id, "type": TASK.id}
        said = {"name": "In", "types": ["secret"], "query": "", "limit": "5", "target": "jira"}
        return {**said, **place, **more}

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return getattr(self.machine, method)(path, body, content_type="application/json")

    def case(self, project: Project | None = None) -> Case:
        return opened_case(project or self.place.project)

    def rule(self, **said: Any) -> Rule:
        data = {"name": "Old", "finding_types": ["secret"], "max_tickets_per_day": 5}
        data |= {"project_id": self.place.project_id, "target": "jira", "enabled": False}
        return services.create_rule(ticket_rule(**(data | said)), actor=None)

    def relations(self, project: Project) -> dict[str, Any]:
        return {
            "findings": {"data": [{"type": "findings", "id": self.finding.finding_id}]},
            "project": {"data": {"type": "projects", "id": str(project.pk)}},
        }

    def bulk(self, deed: str, **said: Any) -> Any:
        asked = {"whole": "yes", "search": "", "run": str(uuid4()), "save": "yes", "number": "1"}
        return self.analyst.post(f"/bulk/new/{deed}", asked | said)


Way = Callable[[World], Any]
WAYS: dict[str, Way] = {}


def way(attempt: Way) -> Way:
    WAYS[attempt.__name__] = attempt
    return attempt


# --- Rules ------------------------------------------------------------------------------


@way
def create_on_the_page(w: World) -> Any:
    return w.editor.post(f"{EDITOR}/create_ticket/new", w.form())


@way
def edit_on_the_page(w: World) -> Any:
    rule = w.rule(target="case_management", project_id=w.project.pk)
    seen = rule.modified_at.isoformat()
    return w.editor.post(f"{EDITOR}/{rule.pk}/edit", w.form(seen=seen))


@way
def repair_on_the_page(w: World) -> Any:
    Rule.objects.filter(pk=(rule := w.rule()).pk).update(auto_disabled_reason="It broke.")
    seen = rule.modified_at.isoformat()
    return w.editor.post(f"{EDITOR}/{rule.pk}/edit", w.form(seen=seen))


@way
def switch_the_rule_on(w: World) -> Any:
    return w.editor.post(f"/rules/{w.rule().pk}/toggle", {"enabled": "on"})


@way
def test_the_rule(w: World) -> Any:
    return w.editor.post("/rules/test", w.form(run="yes", finding=w.finding.finding_id))


@way
def create_by_api(w: World) -> Any:
    return w.send("post", RULES, rule_document({"project_id": str(w.place.project_id)}))


@way
def edit_by_api(w: World) -> Any:
    document = rule_document({"project_id": str(w.place.project_id)}, enabled=True)
    return w.send("put", f"{RULES}/{w.rule().pk}", document)


@way
def apply_a_file(w: World, folder: Path) -> Any:
    file = folder / "rules.yaml"
    file.write_text(
        "rules:\n- name: In\n  finding_types: [secret]\n  target: jira\n"
        f"  project: {w.place.project.key}\n  max_tickets_per_day: 5\n"
    )
    try:
        call_command("rules", "apply", str(file), stdout=StringIO())
    except CommandError as refusal:
        return refusal
    return None


@way
def look_at_its_types(w: World) -> Any:
    return w.editor.post("/rules/destination", w.form(), headers={"HX-Request": "true"})


@way
def preview_there(w: World) -> Any:
    return w.editor.post("/rules/preview", w.form(), headers={"HX-Request": "true"})


@way
def look_at_its_people(w: World) -> Any:
    return w.editor.get("/rules/people", {"account": str(w.account.pk), "space": "SEC"})


@way
def look_at_its_people_in_the_form(w: World) -> Any:
    return w.editor.post("/rules/destination", w.form(typed_jira_assignee="dana"))


@way
def have_a_rule_on_already(w: World) -> Any:
    Rule.objects.filter(pk=w.rule().pk).update(enabled=True)
    services.create_rule(
        ticket_rule(
            name="Later",
            finding_types=["iac_misconfiguration"],
            project_id=w.project.pk,
            max_tickets_per_day=1,
        ),
        actor=None,
    )  # a new version, which has the first as it is
    Evaluation.objects.update(unevaluated_since=w.finding.first_seen_at)
    return evaluate_all()


@way
def have_a_rule_warned(w: World) -> Any:
    Rule.objects.filter(pk=w.rule().pk).update(enabled=True)
    early_warning.check_due()
    assert "not open for tickets" in RuleCheck.objects.get().warning
    return Rule.objects.update(enabled=False)


# --- Tickets ------------------------------------------------------------------------------


@way
def create_by_hand(w: World) -> Any:
    said = {"finding": [w.finding.finding_id], "project": f"jira:{w.place.project_id}"}
    return w.analyst.post("/tickets/new", said | {"save": "yes"})


@way
def create_in_bulk(w: World) -> Any:
    return w.bulk("tickets", project=f"jira:{w.place.project_id}")


@way
def go_on_with_a_bulk_run(w: World) -> Any:
    said = {"project": str(w.place.project_id), "in_jira": True, "assignee": None}
    run = bulk.start(
        uuid4(),
        deed="tickets",
        said=said | {"fields": {}, "move": False},
        finding_pks=[w.finding.pk],
        search="",
        actor=User.objects.get(name="Alan Analyst"),
    )
    bulk.work_due()
    run.refresh_from_db()
    assert (run.state, "not open for tickets" in run.reason) == ("stopped", True)


@way
def create_for_a_case(w: World) -> Any:
    return w.analyst.post(f"/cases/{w.case().key}/issue", {"do": "create"})


@way
def create_again(w: World) -> Any:
    issue = ExternalIssueFactory(
        case=w.case(), account=w.account, space_id="20000", state=State.CREATED, issue_id="7"
    )
    answer = w.analyst.post(f"/cases/{issue.case.key}/issue", {"do": "recreate"})
    issue.delete()
    return answer


@way
def create_again_after_a_move(w: World) -> Any:
    issue = ExternalIssueFactory(
        case=w.case(w.project), account=w.account, space_id="20000", state="created", issue_id="7"
    )
    case = move(issue.case, w.place.project, actor=None)
    answer = w.analyst.post(f"/cases/{case.key}/issue", {"do": "recreate"})
    issue.delete()
    return answer


@way
def create_by_api_for_findings(w: World) -> Any:
    item = {"type": "jira_issues", "attributes": {}, "relationships": w.relations(w.place.project)}
    return w.send("post", f"{FINDINGS}/jira_issues", {"data": [item]})


@way
def create_by_api_for_a_case(w: World) -> Any:
    ids = {"project_id": w.place.space_id, "issue_type_id": TASK.id}
    said = {"type": "issues", "attributes": ids | {"jira_account_id": str(w.account.pk)}}
    path = f"/api/v2/cases/{w.case().key}/relationships/jira_issues"
    return w.send("post", path, {"data": said})


@way
def deliver_what_was_promised(w: World) -> Any:
    issue = ExternalIssueFactory(
        case=w.case(), account=w.account, space_id=w.place.space_id, type_id=TASK.id
    )
    deliver_due()
    issue.refresh_from_db()
    assert (issue.state, issue.fault, issue.field) == (State.BLOCKED, "config", "project")
    assert "not open for tickets" in issue.reason
    return issue.delete()


# --- Issues that are there -----------------------------------------------------------------


@way
def attach_by_key(w: World) -> Any:
    said = {"finding": [w.finding.finding_id], "save": "yes", "key": w.key}
    return w.analyst.post("/tickets/attach", said)


@way
def attach_by_address(w: World) -> Any:
    said = {"finding": [w.finding.finding_id], "save": "yes", "key": w.issue_url}
    return w.analyst.post("/tickets/attach", said)


@way
def attach_in_bulk(w: World) -> Any:
    return w.bulk("attach", key=w.issue_url)


@way
def link_a_case(w: World) -> Any:
    return w.analyst.post(f"/cases/{w.case().key}/link", {"address": w.issue_url})


@way
def attach_by_api(w: World) -> Any:
    said = {"type": "jira_issues", "attributes": {"jira_issue_url": w.issue_url}}
    said["relationships"] = w.relations(w.place.project)
    return w.send("patch", f"{FINDINGS}/jira_issues", {"data": said})


@way
def link_by_api(w: World) -> Any:
    said = {"type": "issues", "attributes": {"jira_issue_url": w.issue_url}}
    path = f"/api/v2/cases/{w.case().key}/relationships/jira_issues"
    return w.send("patch", path, {"data": said})


# --- Settings -----------------------------------------------------------------------------


@way
def link_a_project_by_api(w: World) -> Any:
    ids = {"account_id": str(w.account.pk), "project_id": w.place.space_id}
    jira = {"enabled": True, "metadata": ids | {"issue_type_id": TASK.id}}
    attributes = {"settings": {"integration_jira": jira}}
    path = f"/api/v2/cases/projects/{w.project.pk}"
    return w.send("patch", path, {"data": {"type": "project", "attributes": attributes}})


@way
def keep_a_template(w: World) -> Any:
    ids = {"project_id": w.place.space_id, "issue_type_id": TASK.id}
    account = {"jira-account": {"id": str(w.account.pk)}}
    said = {"type": "jira-issue-template", "attributes": {"name": "In"} | ids | account}
    return w.send("post", "/api/v2/integration/jira/issue-templates", {"data": said})


# --- The services themselves, whoever asks ---------------------------------------------------


def _refused(attempt: Callable[[], Any]) -> str:
    try:
        with transaction.atomic():
            attempt()
    except (SpaceClosed, InvalidRule) as refusal:
        return str(refusal)
    raise AssertionError("nobody refused it")


@way
def ask_the_services(w: World) -> Any:
    case, there = w.case(), w.in_sec.of_issue
    ref = IssueRef("10042", w.key)
    w.place.is_enabled = False
    w.place.save(update_fields=["is_enabled"])
    return [
        _refused(attempt)
        for attempt in (
            lambda: destinations.project_for(w.account, w.in_sec, actor=None),
            lambda: destinations.link(w.project, w.account, w.in_sec, actor=None),
            lambda: destinations.switch(w.place, is_enabled=True, actor=None),
            lambda: outbox.promise([(case, outbox.Promise({}))]),
            lambda: outbox.promise_at(case, outbox.Promise({}), account=w.account, place=there),
            lambda: outbox.adopt(case, ref, account=w.account, place=there, actor=None),
            lambda: w.rule(enabled=True),
        )
    ]
