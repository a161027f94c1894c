"""The rules of the demo data that create tickets, in order, and where their tickets go."""

from __future__ import annotations

from typing import NamedTuple

from automation.kinds.ticket_creation.action import CreateTicket, Target
from automation.rules.data import RuleData
from config.accounts.models import User
from findings.facts import FindingType
from ticketing import connections
from ticketing.catalogue.cache import CatalogueError
from ticketing.catalogue.options import Selection, fetch_options
from ticketing.destinations import Place, project_for
from ticketing.models import JiraAccount, Project

_SERIOUS = "@severity:(critical OR high)"
_LABELS = {"labels": ["security"]}


class Places(NamedTuple):
    """Where tickets are created: without a Sandbox Jira all of them in one project here."""

    cases: Project
    security: Project
    platform: Project
    target: Target

    def here(self, limit: int) -> CreateTicket:
        return CreateTicket(
            target=Target.CASE_MANAGEMENT, project_id=self.cases.pk, max_tickets_per_day=limit
        )

    def there(
        self, limit: int, *, project: Project | None = None, group_by: list[str] | None = None
    ) -> CreateTicket:
        return CreateTicket(
            target=self.target,
            project_id=(project or self.security).pk,
            max_tickets_per_day=limit,
            fields=_LABELS if self.target is Target.JIRA else None,
            group_by=group_by,
        )


def places(cases: Project, *, sandbox: bool, actor: User | None) -> Places:
    if not sandbox:
        return Places(cases, cases, cases, Target.CASE_MANAGEMENT)
    account = connections.connect_sandbox(actor=actor)
    security, platform = (_project_in(account, key, actor=actor) for key in ("SEC", "PLAT"))
    return Places(cases, security, platform, Target.JIRA)


def _project_in(account: JiraAccount, key: str, *, actor: User | None) -> Project:
    space = account.spaces.get(key=key)
    found = fetch_options(Selection(str(account.pk), space.space_id), [account])
    if found.problem:
        raise CatalogueError(found.problem)
    task = next(kind for kind in found.types if kind.name == "Task")
    place = Place(space.space_id, space.key, space.name, task.id, task.name)
    project, _ = project_for(account, place, actor=actor)
    return project


def ticket_rules(to: Places) -> list[RuleData]:
    """In order. Some match more than their limit; the fifth matches nothing that the fourth
    leaves; the sixth breaks when its space is archived."""
    return [
        RuleData(
            name="Leaked secrets",
            finding_types=[FindingType.SECRET],
            action=to.here(20),
        ),
        RuleData(
            name="High risks in pipelines and images",
            finding_types=[FindingType.IAC],
            query=_SERIOUS,
            action=to.there(10),
        ),
        RuleData(
            name="Vulnerable packages",
            finding_types=[FindingType.LIBRARY, FindingType.HOST_AND_CONTAINER],
            action=to.there(20, group_by=["package"]),
        ),
        RuleData(
            name="Serious weaknesses in code",
            finding_types=[FindingType.STATIC_CODE, FindingType.RUNTIME_CODE],
            query=_SERIOUS,
            action=to.there(15, group_by=["rule"]),
        ),
        RuleData(
            name="High risks in production code",
            finding_types=[FindingType.STATIC_CODE],
            query="env:prod @severity:high",
            action=to.here(5),
        ),
        RuleData(
            name="Cluster and cloud settings",
            finding_types=[FindingType.MISCONFIGURATION, FindingType.WORKLOAD_ACTIVITY],
            query="@severity:(critical OR high OR medium)",
            action=to.there(10, project=to.platform),
        ),
        RuleData(
            name="Ways to more privileges",
            finding_types=[FindingType.ATTACK_PATH, FindingType.IDENTITY_RISK],
            query=_SERIOUS,
            action=to.here(8),
        ),
        RuleData(
            name="Shell commands built from input",
            finding_types=[FindingType.STATIC_CODE],
            query="cwe:CWE-78 @severity:medium",
            action=to.here(5),
        ),
    ]
