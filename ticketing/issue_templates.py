"""Templates for Jira issues: kept for those who ask the API. Every change is in the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from config.accounts.history import sign
from config.accounts.models import User
from ticketing import allowed_spaces
from ticketing.models import JiraAccount, JiraIssueTemplate


def create_template(
    account_id: UUID,
    *,
    name: str,
    space_id: str,
    type_id: str,
    fields: Mapping[str, Any],
    actor: User | None,
) -> JiraIssueTemplate:
    """Raises `JiraAccount.DoesNotExist` if there is no such account, or not any more, and
    SpaceClosed."""
    with transaction.atomic():
        # Locked, so that an account that is being deleted leaves no template behind.
        account = JiraAccount.objects.select_for_update(no_key=True).get(
            pk=account_id, connected_at__isnull=False, deleted_at=None
        )
        _require_open(account, space_id)
        template = JiraIssueTemplate(
            account=account, name=name, space_id=space_id, type_id=type_id, fields=dict(fields)
        )
        sign(template, actor=actor)
        template.save(force_insert=True)
    return template


def change_template(
    template_id: UUID,
    *,
    name: str | None = None,
    fields: Mapping[str, Any] | None = None,
    actor: User | None,
) -> JiraIssueTemplate:
    """What is None stays. Raises `JiraIssueTemplate.DoesNotExist`, and SpaceClosed."""
    with transaction.atomic():
        template = _lock(template_id)
        _require_open(template.account, template.space_id)
        said = {"name": name, "fields": fields}
        changed = [
            field
            for field, value in said.items()
            if value is not None and value != getattr(template, field)
        ]
        for field in changed:
            setattr(template, field, said[field])
        if changed:
            sign(template, actor=actor)
            template.save(update_fields=changed)
    return template


def delete_template(template_id: UUID, *, actor: User | None) -> None:
    """Raises `JiraIssueTemplate.DoesNotExist`."""
    with transaction.atomic():
        template = _lock(template_id)
        sign(template, actor=actor)
        template.delete()


def delete_templates_of(account: JiraAccount, *, actor: User | None) -> None:
    """For who deletes the account, and holds its lock."""
    for template in JiraIssueTemplate.objects.filter(account=account):
        sign(template, actor=actor, reason="With its account")
        template.delete()


def _require_open(account: JiraAccount, space_id: str) -> None:
    if allowed_spaces.closed_among({(account.pk, space_id)}):
        raise allowed_spaces.SpaceClosed(allowed_spaces.reason(space_id))


def _lock(template_id: UUID) -> JiraIssueTemplate:
    rows = JiraIssueTemplate.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("account").get(pk=template_id)
