"""What a first start shows: real reports of open code, taken in like any other."""

from __future__ import annotations

from pathlib import Path

from automation.services import RuleData, create_rule
from config.accounts.models import User
from findings.facts import FindingType
from findings.imports import Sent, import_report
from findings.models import Finding
from findings.spool import chunks_of
from ticketing.models import Project
from ticketing.projects import create_project

_REPORTS = Path(__file__).parent


def load(*, actor: User | None = None) -> None:
    """Make a project and rules, then take in the reports; the queue does the rest.

    Does nothing unless there are neither findings nor projects. The rules come first, because
    only findings that come after a rule are ticketed by it.
    """
    if Finding.objects.exists() or Project.objects.exists():
        return
    project = create_project(key="SEC", name="Security", actor=actor)
    for rule in _rules(project):
        create_rule(rule, actor=actor)
    # The newest are on top of the explorer: the longest and most monotonous report goes first.
    for path in sorted(_REPORTS.glob("*.sarif.gz"), reverse=True):
        with path.open("rb") as file:
            import_report(chunks_of(file), Sent(file_name=path.name, by="sample content"))


def _rules(project: Project) -> list[RuleData]:
    """In order. The second matches more findings than its limit: that shows what happens then."""
    return [
        RuleData(
            name="Leaked secrets",
            finding_types=[FindingType.SECRET],
            project_id=project.pk,
            max_tickets_per_day=20,
        ),
        RuleData(
            name="High risks in pipelines and images",
            finding_types=[FindingType.IAC, FindingType.MISCONFIGURATION],
            query="@severity:(critical OR high)",
            project_id=project.pk,
            max_tickets_per_day=10,
        ),
        RuleData(
            name="Serious weaknesses in code",
            finding_types=[FindingType.STATIC_CODE],
            query="@severity:(critical OR high)",
            project_id=project.pk,
            max_tickets_per_day=25,
        ),
        RuleData(
            name="Shell commands built from input",
            finding_types=[FindingType.STATIC_CODE],
            query="cwe:CWE-78 @severity:medium",
            project_id=project.pk,
            max_tickets_per_day=5,
        ),
    ]
