"""Everything that changes a project."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from config.accounts.history import sign
from config.accounts.models import User
from ticketing.models import Project


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
    actor: User | None,
) -> None:
    """Raises ValidationError (by field) for a name that is empty or taken. The key stays."""
    project.name = name.strip()
    project.closes_with_findings = closes_with_findings
    project.reopens_with_findings = reopens_with_findings
    sign(project, actor=actor)
    _save_project(project, "name", "closes_with_findings", "reopens_with_findings")


def _save_project(project: Project, *fields: str) -> None:
    try:
        with transaction.atomic():
            project.full_clean()
            project.save(update_fields=fields or None)
    except IntegrityError:
        project.full_clean()  # names the field that somebody else was faster with
        raise
