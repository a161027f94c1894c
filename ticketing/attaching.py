"""Findings and issues that come to a case which is there already."""

from __future__ import annotations

from django.db import transaction

from config.accounts.models import User
from ticketing import services
from ticketing.locking import lock
from ticketing.models import Attachment, Case


@transaction.atomic
def attach_free(case: Case, finding_pk: int, *, actor: User | None) -> bool:
    """Attach a finding that is on no other case; False, and nothing done, if it is on one."""
    lock(finding_pks=[finding_pk], case_pks=[case.pk])
    if Attachment.objects.filter(finding=finding_pk).exclude(case=case).exists():
        return False
    services.attach(case, [finding_pk], actor=actor)
    return True
