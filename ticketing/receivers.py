"""News from below, answered by ringing the queue; of findings that leave, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.dispatch import receiver

from config.accounts.models import User
from config.lib.tasks import enqueue
from findings.models import Import
from findings.signals import findings_changed, findings_leaving
from ticketing import import_undo


@receiver(findings_changed)
def ring_following(**_: object) -> None:
    enqueue("ticketing.tasks.follow")


@receiver(findings_leaving)
def let_go(
    run: Import,
    actor: User | None,
    pks: Sequence[int],
    may_go: Callable[[], list[int]],
    **_: object,
) -> list[int]:
    return import_undo.let_go(pks, run=run, actor=actor, may_go=may_go)
