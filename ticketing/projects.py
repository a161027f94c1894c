"""Everything that changes a project."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.db import IntegrityError, transaction

from config.accounts.history import sign
from config.accounts.models import User
from config.lib.rows import writer
from ticketing.models import Case, Project
from ticketing.signals import project_deleting


def create_project(*, key: str, name: str, actor: User | None) -> Project:
    """Raises ValidationError (by field) for a key or name that is malformed or taken."""
    project = Project(key=key, name=name.strip())
    sign(project, actor=actor)
    _save_project(project)
    return project


def edit_project(
    project: Project,
    *,
    name: str,
    closes_with_findings: bool,
    reopens_with_findings: bool,
    reopens_wont_fix: bool,
    actor: User | None,
) -> None:
    """Raises ValidationError (by field) for a name that is empty or taken. The key stays."""
    project.name = name.strip()
    project.closes_with_findings = closes_with_findings
    project.reopens_with_findings = reopens_with_findings
    project.reopens_wont_fix = reopens_wont_fix
    sign(project, actor=actor)
    switches = ("closes_with_findings", "reopens_with_findings", "reopens_wont_fix")
    _save_project(project, "name", *switches)


class ProjectInUse(ValueError):
    """What stands in the way of deleting a project: `str(error)` says it, for a person."""


@transaction.atomic
def delete_project(project: Project, *, actor: User | None) -> None:
    """Delete a project that nothing needs, with its link to Jira. Raises ProjectInUse.

    The apps above say what they need it for; the database refuses to lose a case.
    """
    project = Project.objects.select_for_update().get(pk=project.pk)
    cases = Case.objects.filter(project=project).count()
    reasons = [f"{cases:,} case{'' if cases == 1 else 's'} in it"] if cases else []
    for _, reason in project_deleting.send(Project, project_id=project.pk):
        reasons += [reason] if reason else []
    if reasons:
        raise ProjectInUse(f"{project.name} is in use: {', '.join(reasons)}.")
    sign(project, actor=actor)
    project.delete()


def take_numbers(wanted: Counter[UUID]) -> dict[UUID, list[tuple[int, str]]]:
    """(number, key) pairs for new cases; the projects' rows stay locked until the commit."""
    projects = list(Project.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    if len(projects) < len(wanted):
        raise Project.DoesNotExist("a project of the drafts does not exist")
    taken: dict[UUID, list[tuple[int, str]]] = {}
    for project in projects:
        first = project.last_number + 1
        project.last_number += wanted[project.pk]
        taken[project.pk] = [
            (number, f"{project.key}-{number}") for number in range(first, project.last_number + 1)
        ]
    if projects:
        rows = [(project.pk, project.last_number) for project in projects]
        writer().update(Project, ("last_number",), rows)
    return taken


def _save_project(project: Project, *fields: str) -> None:
    try:
        with transaction.atomic():
            project.full_clean()
            project.save(update_fields=fields or None)
    except IntegrityError:
        project.full_clean()  # names the field that somebody else was faster with
        raise
