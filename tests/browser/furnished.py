"""An installation in which every page has something to show, and the addresses of its pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from automation.kinds.ticket_creation.action import Target
from automation.models import DailyUsage, Rule
from automation.rules import services as rules
from automation.rules.data import data_of
from config.accounts.api_keys import create_api_key
from config.accounts.models import User
from config.accounts.roles import Permission, Role
from config.accounts.undo.service import undo
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding
from findings.services import mute, unmute
from findings.undo import MUTE, recorded
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    FindingFactory,
    JiraAccountFactory,
    ProjectFactory,
    UserFactory,
    ticket_rule,
)
from ticketing import services
from ticketing.models import Case, JiraAccount
from ticketing.states import State

SAMPLES = Path(__file__).parents[1] / "findings/formats/samples"
RULES = "/settings/findings-automation"


def furnish(admin: User) -> list[str]:
    """Rules, cases, runs and keys in every state; returns the address of each page."""
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    account = JiraAccountFactory(name="acme", synced_at=timezone.now())
    linked = ProjectFactory(key="SECENG", name="Security Engineering")
    DestinationFactory(project=linked, account=account)
    rule, full = _rules(project.pk, linked.pk, admin)[:2]
    case, finding = _cases(linked, account, admin)
    run = import_report(
        [(SAMPLES / "code.sarif").read_bytes()], ImportOptions(file_name="a.sarif", by="ci")
    )
    _keys(admin)
    JiraAccountFactory(
        name="globex",
        state=JiraAccount.State.AUTH_FAILED,
        problem="Jira refuses the token: it is wrong, or has expired.",
        problem_at=timezone.now(),
    )
    return [
        *("/overview", "/jump?q=s", "/styleguide", "/nothing-here"),
        *("/findings", "/findings?q=status:(", "/findings?q=nothing-like-it"),
        *("/inbox", "/inbox?q=status:("),
        *(f"/findings/{finding}", f"/findings?finding={finding}"),
        *("/cases", "/cases?layout=board", "/cases?q=nothing-like-it", "/cases/new"),
        *(f"/cases/{case.key}", f"/cases/{case.key}/edit", f"/cases/{case.key}/archive"),
        *("/cases/projects", "/cases/projects/RISK", "/cases/projects/SECENG/sync"),
        *(RULES, f"{RULES}?opened-sections=none", f"{RULES}?q=nothing-like-it"),
        *(f"{RULES}/{slug}/new?types=secret" for slug in ("modify_severity", "add_to_inbox")),
        *(f"{RULES}/{slug}/new?types=secret" for slug in ("mute", "set_due_date")),
        *(f"{RULES}/create_ticket/new", f"{RULES}/{rule.pk}/edit", f"{RULES}/{full.pk}/edit"),
        *(f"{RULES}/{rule.pk}/move", f"/rules/{rule.pk}/menu", f"{RULES}/{rule.pk}/delete"),
        *(f"{RULES}/deleted", f"{RULES}/{full.pk}/history", f"/undo/{_half_undone(admin)}/left"),
        *(f"{RULES}/evaluations", f"{RULES}/evaluations?result=failed"),
        *("/settings/integrations", "/settings/integrations/deliveries"),
        *("/settings/integrations/jira/new", f"/settings/integrations/jira/{account.pk}/setup"),
        *("/settings/importers", "/settings/importers/upload", f"/settings/importers/{run.pk}"),
        *("/settings/api-keys", "/settings/api-keys/new"),
        *("/settings/users", "/settings/users/new", f"/settings/users/{admin.pk}"),
        *("/settings/audit", "/settings/retention", "/account/password"),
    ]


def _half_undone(admin: User) -> UUID:
    """An act of which somebody had changed a part."""
    pks = list(Finding.objects.filter(severity="info").values_list("pk", flat=True))
    with recorded(MUTE, pks, actor=admin) as recording:
        mute(pks, reason="OTHER", actor=admin)
    assert recording.act
    unmute(pks[:2], actor=UserFactory(name="Lena Brandt"))
    undo(recording.act.pk, actor=admin)
    return recording.act.pk


def _keys(admin: User) -> None:
    """One that works, and one whose maker may do less than its scopes."""
    create_api_key("ci", scopes=[Permission.FINDINGS_INTAKE], actor=admin)
    demoted = UserFactory(name="Vera Viewer", role=Role.VIEWER)
    scopes = [Permission.FINDINGS_READ, Permission.RULES_WRITE]
    create_api_key("terraform", scopes=scopes, actor=demoted)


def _rules(project, linked, admin: User) -> list[Rule]:
    made = [
        rules.create_rule(
            ticket_rule(
                name=name,
                finding_types=types,
                query=query,
                project_id=linked if target == Target.JIRA else project,
                max_tickets_per_day=10,
                target=target,
            ),
            actor=admin,
        )
        for name, types, query, target in (
            ("Running", ["secret", "api_security", "identity_risk"], "", Target.JIRA),
            ("Full", ["misconfiguration"], "env:prod team:web a:b c:d", "case_management"),
            ("Broken", ["attack_path"], "@severity:(critical OR high)", "case_management"),
            ("Shadowed", ["secret"], "env:(prod OR dev) -team:x", "case_management"),
            ("Disabled", ["library_vulnerability"], "", "case_management"),
        )
    ]
    today = timezone.now().date()
    DailyUsage.objects.create(rule_id=made[1].pk, day=today, ticketed=10, over_limit=3)
    rules.break_rule(made[2].pk, reason="Case project Cloud Risk was deleted.")
    rules.disable_rule(made[4].pk, actor=admin)
    rules.edit_rule(made[1].pk, replace(data_of(made[1]), query="env:prod"), actor=admin)
    rules.delete_rule(rules.duplicate_rule(made[0].pk, actor=admin).pk, actor=admin)
    return made


def _cases(project, account, admin: User) -> tuple[Case, str]:
    """Cases of every origin, status and state of sync; the first has a finding."""
    now = timezone.now()
    first = FindingFactory(title="Public bucket", severity="critical", tags=["env:prod"])
    for nth, severity in enumerate(("high", "medium", "low", "info")):
        FindingFactory.create_batch(5, severity=severity, first_seen_at=now - timedelta(days=nth))
    cases = [
        services.open_manual_case(
            [first.pk] if origin == Case.Origin.MANUAL else [],
            project=project,
            title=f"{origin.label} " * 6,
            origin=origin,
            actor=admin,
            assignee=admin,
        )
        for origin in (Case.Origin.MANUAL, Case.Origin.TEST, Case.Origin.LIMIT_NOTICE)
    ]
    services.comment(cases[0], "**Rotated**, see `runbook`.", actor=admin)
    services.change_case(cases[1], status="IN_PROGRESS", actor=admin)
    services.change_case(cases[2], status="CLOSED", actor=admin)
    said = {"account": account, "state": State.CREATED, "synced_at": now}
    ExternalIssueFactory(case=cases[0], issue_key="SEC-1", issue_id="1", **said)
    ExternalIssueFactory(
        case=cases[1], issue_key="SEC-2", issue_id="2", sync_problem="Refused.", **said
    )
    return cases[0], Finding.objects.get(pk=first.pk).finding_id
