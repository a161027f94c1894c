"""What a bulk run does to a few findings is kept with their steps, and can be put back from there.

A run that undoes another has a step for each finding that one changed; it is worked on like any
other, so whatever dies, and however many work at once, each finding is put back once or not at
all. What was changed since is left as it is, and its step says by whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from config.accounts.undo.acts import changes_between
from config.accounts.undo.registry import Change, Later
from findings import undo as findings
from findings.recording.rows import as_json
from ticketing import attachment_undo
from ticketing.bulk_deeds import DEEDS, DONE, Outcome, Result, Results
from ticketing.models import BulkRun, BulkStep

Deed = BulkRun.Deed
KINDS: Mapping[str, str] = {
    Deed.ATTACH: attachment_undo.ATTACH,
    Deed.MUTE: findings.MUTE,
    Deed.ASSIGN: findings.ASSIGN,
    Deed.STATUS: findings.STATUS,
    Deed.SEVERITY: findings.SEVERITY,
}
"""Deed → what it is as an act. Issues that were created are not taken back."""
_TOO_LATE = Later("An hour has passed.")


def perform(run: BulkRun, pks: Sequence[int]) -> Results:
    """The run's deed in the caller's transaction, and with each result what it changed."""
    if run.deed == Deed.UNDO:
        return _undo(run, pks)
    if run.deed not in KINDS:
        return DEEDS[run.deed](run, pks)
    before = _snapshots(run, pks)
    results = DEEDS[run.deed](run, pks)
    after = _snapshots(run, pks)
    changes = {int(each.object_id): each for each in _changes(run, before, after)}
    return {pk: _with_record(result, changes.get(pk)) for pk, result in results.items()}


def _with_record(result: Result, change: Change | None) -> Result:
    if change is None or result.outcome != Outcome.DONE:
        return result
    return result._replace(before=as_json(change.before), after=as_json(change.after))


def _snapshots(run: BulkRun, pks: Sequence[int]) -> dict[str, findings.Snapshot]:
    if run.deed == Deed.ATTACH:
        return attachment_undo.snapshots(pks, case_pks=[UUID(run.said["case"])])
    return findings.snapshots(KINDS[run.deed], pks)


def _changes(
    run: BulkRun,
    before: Mapping[str, findings.Snapshot],
    after: Mapping[str, findings.Snapshot],
) -> list[Change]:
    if run.deed != Deed.ATTACH:
        return changes_between(before, after)
    was = run.said.get("was")  # of a case that was there
    arrived = {run.said["case"]: was} if was else {}
    return attachment_undo.changes_of(before, after, arrived=arrived)


def _undo(run: BulkRun, pks: Sequence[int]) -> Results:
    steps = BulkStep.objects.filter(run=run.said["run"], finding__in=pks, before__isnull=False)
    changes = [Change(str(s.finding_id), s.before, s.after) for s in steps.order_by("position")]
    if run.said["deed"] == Deed.ATTACH:
        left = attachment_undo.restore(changes, actor=run.actor)
    else:
        left = findings.restore(KINDS[run.said["deed"]], changes, actor=run.actor)
    kept = {change.object_id for change in changes}
    left |= {str(pk): _TOO_LATE for pk in pks if str(pk) not in kept}
    return {pk: _result(left.get(str(pk))) for pk in pks}


def _result(later: Later | None) -> Result:
    return Result(Outcome.SKIPPED, later.sentence(is_kept=True)) if later else DONE
