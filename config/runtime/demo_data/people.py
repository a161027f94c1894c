"""What people did in the thirty days of the demo data, by how many days ago."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

from django.conf import settings
from django.db import models
from django.utils import timezone

from config.accounts.models import User
from config.runtime.demo_data.rules import Places
from findings import services as findings
from findings.facts import FindingType, Severity, Status, Ticket
from findings.models import Finding
from ticketing import outbox, services
from ticketing.close_reasons import CloseReason
from ticketing.models import Case, ExternalIssue
from ticketing.states import State
from ticketing.sync import sync_due

_SECONDS: Final = 10
_IN_PROGRESS, _DONE = "21", "41"  # steps of the workflow of SEC


class Scene(NamedTuple):
    to: Places
    actor: User | None
    has_jira: bool


def _open(**about: str) -> list[int]:
    """The oldest open findings without a ticket first."""
    rows = Finding.objects.filter(status=Status.OPEN, ticket=Ticket.NONE, **about)
    return list(rows.order_by("first_seen_at", "pk").values_list("pk", flat=True))


def _resolve_too_early(scene: Scene) -> None:
    """The next report has them again."""
    findings.change_status(
        _open(scope__target="httpie")[:4], status=Status.RESOLVED, actor=scene.actor
    )


def _triage(scene: Scene) -> None:
    quiet = _open(finding_type=FindingType.RUNTIME_CODE, severity=Severity.INFO)
    findings.mute(quiet[:2], reason="false_positive", description="A demo shop.", actor=scene.actor)
    until = timezone.now() + timedelta(days=60)
    low = _open(finding_type=FindingType.RUNTIME_CODE, severity=Severity.LOW)
    findings.mute(low[:1], reason="risk_accepted", until=until, actor=scene.actor)
    findings.assign(low[1:3], assignee=scene.actor, actor=scene.actor)
    findings.change_status(low[1:2], status=Status.IN_PROGRESS, actor=scene.actor)


def _open_by_hand(scene: Scene) -> None:
    weak = _open(scope__target="jupyterhub", severity=Severity.MEDIUM)
    case = services.open_manual_case(
        weak[:2],
        project=scene.to.cases,
        title="Look at how JupyterHub makes temporary files",
        assignee=scene.actor,
        actor=scene.actor,
    )
    services.comment(case, "Two of them are in the same module.", actor=scene.actor)
    promise = outbox.Promise({}) if scene.has_jira else None
    services.open_manual_case(
        weak[2:3], project=scene.to.security, promise=promise, actor=scene.actor
    )


def _work_in_jira(scene: Scene) -> None:
    """A colleague begins one ticket there and finishes two."""
    if not scene.has_jira:
        return
    keys = _created(scene).values_list("issue_key", flat=True)[:3]
    for key, step in zip(keys, (_IN_PROGRESS, _DONE, _DONE), strict=False):
        _press(f"/browse/{key}/status", step=step)
    sync_due()


def _finish(scene: Scene) -> None:
    first, second, *_ = Case.objects.filter(
        project=scene.to.cases, origin=Case.Origin.RULE
    ).order_by("created_at", "number")
    services.change_case(first, status=Case.Status.IN_PROGRESS, actor=scene.actor)
    services.change_case(
        second,
        status=Case.Status.CLOSED,
        close_reason=CloseReason.FALSE_POSITIVE,
        actor=scene.actor,
    )


def _archive_platform(scene: Scene) -> None:
    """The next ticket there breaks its rule."""
    if scene.has_jira:
        _press("/projects/PLAT/archive")


def _give_one_up(scene: Scene) -> None:
    blocked = ExternalIssue.objects.filter(state=State.BLOCKED).order_by("created_at", "pk").first()
    if blocked is not None:
        outbox.cancel(blocked, actor=scene.actor)


def _created(scene: Scene) -> models.QuerySet[ExternalIssue]:
    issues = ExternalIssue.objects.filter(
        state=State.CREATED, case__project=scene.to.security, case__status=Case.Status.OPEN
    )
    return issues.order_by("created_at", "pk")


def _press(address: str, **form: str) -> None:
    """A button on a page of the Sandbox Jira."""
    url = f"{settings.SANDBOX_JIRA_URL}{address}"
    with urlopen(url, urlencode(form).encode(), timeout=_SECONDS):  # noqa: S310  on loopback
        pass


DIARY: Final[Mapping[int, Callable[[Scene], None]]] = {
    26: _work_in_jira,
    23: _resolve_too_early,
    20: _triage,
    17: _open_by_hand,
    11: _finish,
    9: _archive_platform,
    5: _give_one_up,
}
