"""What a first start shows: real reports of open code, taken in like any other."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from automation.kinds.ticket_creation.action import CreateTicket, Target
from automation.rule_file.apply import apply_plan
from automation.rule_file.parse import read_rules
from automation.rule_file.plan import plan_rules
from automation.rules.data import RuleData
from automation.rules.services import create_rule
from config.accounts.models import User
from findings.facts import FindingType
from findings.imports.run import ImportOptions, import_report
from findings.imports.spool import chunks_of
from findings.models import Finding
from ticketing import connections
from ticketing.catalogue.cache import CatalogueError
from ticketing.catalogue.options import Selection, fetch_options
from ticketing.destinations import Place, project_for
from ticketing.models import Project
from ticketing.projects import create_project

_REPORTS = Path(__file__).parent
_OTHER_RULES = _REPORTS / "rules.yaml"


def load(*, actor: User | None = None) -> None:
    """Make a project and rules, then take in the reports; the queue does the rest.

    Does nothing unless there are neither findings nor projects. The rules come first, because
    only findings that come after a rule are ticketed by it. Where a sandbox Jira runs, two of
    them create their tickets there.
    """
    if Finding.objects.exists() or Project.objects.exists():
        return
    project = create_project(key="CASES", name="Security cases", actor=actor)
    in_jira = _project_in_sandbox(actor=actor) if settings.SANDBOX_JIRA_URL else None
    for rule in _rules(project, in_jira=in_jira):
        create_rule(rule, actor=actor)
    apply_plan(plan_rules(read_rules(_OTHER_RULES.read_text())), actor=actor)
    # The newest are on top of the explorer: the longest and most monotonous report goes first.
    for path in sorted(_REPORTS.glob("*.sarif.gz"), reverse=True):
        with path.open("rb") as file:
            options = ImportOptions(file_name=path.name, scope=_scanned(path), by="sample content")
            import_report(chunks_of(file), options)


def _scanned(report: Path) -> str:
    """What the report is of: `httpbin` of `bandit-httpbin-0.10.4.sarif.gz`."""
    return report.name.removesuffix(".sarif.gz").rsplit("-", 2)[1]


def _project_in_sandbox(*, actor: User | None) -> Project:
    account = connections.connect_sandbox(actor=actor)
    space = account.spaces.get(key="SEC")
    found = fetch_options(Selection(str(account.pk), space.space_id), [account])
    if found.problem:
        raise CatalogueError(found.problem)
    task = next(kind for kind in found.types if kind.name == "Task")
    place = Place(space.space_id, space.key, space.name, task.id, task.name)
    project, _ = project_for(account, place, actor=actor)
    return project


def _rules(project: Project, *, in_jira: Project | None) -> list[RuleData]:
    """In order. The second matches more findings than its limit, which shows what happens then;
    the third makes one ticket for all findings of a scanner's rule."""
    target, where = Target.JIRA if in_jira else Target.CASE_MANAGEMENT, in_jira or project
    labels = {"labels": ["security"]} if in_jira else None

    def with_jira(limit: int, *, group_by: list[str] | None = None) -> CreateTicket:
        return CreateTicket(
            target=target,
            project_id=where.pk,
            max_tickets_per_day=limit,
            fields=labels,
            group_by=group_by,
        )

    def in_cases(limit: int) -> CreateTicket:
        return CreateTicket(
            target=Target.CASE_MANAGEMENT, project_id=project.pk, max_tickets_per_day=limit
        )

    return [
        RuleData(
            name="Leaked secrets",
            finding_types=[FindingType.SECRET],
            action=in_cases(20),
        ),
        RuleData(
            name="High risks in pipelines and images",
            finding_types=[FindingType.IAC, FindingType.MISCONFIGURATION],
            query="@severity:(critical OR high)",
            action=with_jira(10),
        ),
        RuleData(
            name="Serious weaknesses in code",
            finding_types=[FindingType.STATIC_CODE],
            query="@severity:(critical OR high)",
            action=with_jira(25, group_by=["rule"]),
        ),
        RuleData(
            name="Shell commands built from input",
            finding_types=[FindingType.STATIC_CODE],
            query="cwe:CWE-78 @severity:medium",
            action=in_cases(5),
        ),
    ]
