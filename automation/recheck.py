"""Findings that are there already, looked at again by the kinds of rules that act on them.

A pass begins when rules of such a kind have changed, and every hour; what rules see of single
findings changes in between, and those are marked and come first. Each chunk is a transaction that
moves the cursor on, so a pass that is interrupted anywhere goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from automation.kinds.registry import ORDER
from automation.models import Recheck, RuleSet
from automation.pipeline import apply_kind, break_faulty
from automation.rules.active import all_active_rules
from findings.rule_effects import claim_for_recheck, recheck_count
from findings.services import Claimed

log = structlog.get_logger(__name__)

CHUNK = 500
SECONDS = 20.0  # of one task; then others have their turn
EVERY = timedelta(hours=1)
KINDS = tuple(kind for kind in ORDER if kind.acts_on_existing)
_THE_DATABASE = (OperationalError, InterfaceError)


def recheck(*, seconds: float = SECONDS) -> bool:
    """Look at what is marked, then go on with the pass, if one is due; False if time ran out."""
    ends = time.monotonic() + seconds
    break_faulty(all_active_rules())
    return _marked(ends) and _pass(ends)


def progress() -> Recheck:
    """How far the pass has come; a row that is not stored where there was none yet."""
    return Recheck.objects.first() or Recheck()


def is_due(row: Recheck, *, now: datetime) -> bool:
    if row.is_running:
        return True
    versions = _versions()
    if not versions:  # no rule of these kinds has ever been there
        return False
    is_old = row.finished_at is None or row.finished_at <= now - EVERY
    return is_old or row.versions != versions


def _versions() -> dict[str, int]:
    names = [kind.name for kind in KINDS]
    return dict(RuleSet.objects.filter(kind__in=names).values_list("kind", "version"))


def _marked(ends: float) -> bool:
    size, after = CHUNK, 0
    while time.monotonic() < ends:
        try:
            done = _next_marked(after, size)
        except _THE_DATABASE:
            raise
        except Exception as error:  # noqa: BLE001  one finding stops none of the others
            size, after = _smaller(size, after, error, only_marked=True)
            continue
        if not done:
            return True
        after, size = done, min(size * 2, CHUNK)
    return False


@transaction.atomic
def _next_marked(after: int, size: int) -> int:
    """The primary key of the last that was looked at; 0 when nothing is left."""
    claimed = claim_for_recheck(after_pk=after, limit=size, only_marked=True)
    if not claimed:
        return 0
    _apply(claimed, timezone.now())
    return claimed[-1].pk


def _pass(ends: float) -> bool:
    """Pass after pass, as long as one is due; another begins at once where rules have changed."""
    Recheck.objects.get_or_create(pk=1)
    while time.monotonic() < ends:
        if not _begin_if_due():
            return True
        if not _chunks(ends):
            return False
    return False


def _chunks(ends: float) -> bool:
    """Go on with the pass to its end; False if time ran out."""
    size = CHUNK
    while time.monotonic() < ends:
        try:
            goes_on = _next_of_pass(size)
        except _THE_DATABASE:
            raise
        except Exception as error:  # noqa: BLE001  as above
            after = Recheck.objects.values_list("after_pk", flat=True).get(pk=1)
            size, passed = _smaller(size, after, error, only_marked=False)
            Recheck.objects.filter(pk=1, after_pk=after).update(after_pk=passed)
            continue
        if not goes_on:
            return True
        size = min(size * 2, CHUNK)
    return False


@transaction.atomic
def _begin_if_due() -> bool:
    """Whether there is a pass to go on with; not where another worker is at it.

    It begins in a transaction of its own, so that the cursor is its own even where its first
    chunk raises.
    """
    row = Recheck.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    now = timezone.now()
    if row is None or not is_due(row, now=now):
        return False
    if row.is_running:
        return True
    row.started_at, row.after_pk, row.done = now, 0, 0
    row.total, row.versions = recheck_count(), _versions()
    row.save()
    return True


@transaction.atomic
def _next_of_pass(size: int) -> bool:
    """One chunk; False when that was the last, or another worker is at it."""
    row = Recheck.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    now = timezone.now()
    if row is None or not row.is_running:
        return False
    claimed = claim_for_recheck(after_pk=row.after_pk, limit=size)
    if claimed:
        _apply(claimed, now)
        row.after_pk, row.done = claimed[-1].pk, row.done + len(claimed)
    else:
        log.info("findings re-checked", count=row.done)
        row.started_at, row.finished_at = None, now
    row.save()
    return bool(claimed)


def _apply(claimed: Sequence[Claimed], now: datetime) -> None:
    rules = all_active_rules()
    for kind in KINDS:
        claimed = apply_kind(kind, rules[kind.name], claimed, now=now).findings


def _smaller(size: int, after: int, error: Exception, *, only_marked: bool) -> tuple[int, int]:
    """After a chunk that raised: how many to try next, and after which finding.

    One that raises alone is passed over until the next pass, and the log says so.
    """
    if size > 1:
        return size // 2, after
    with transaction.atomic():
        claimed = claim_for_recheck(after_pk=after, limit=1, only_marked=only_marked)
    if not claimed:
        return size, after
    [culprit] = claimed
    log.error("finding not re-checked", finding_id=culprit.pk, exc_info=error)
    return size, culprit.pk
