"""What people did to findings, put back as it was.

An act is kept as slices of its findings: the columns and the groups of `workflow` that its kind
changes. Whether somebody changed a finding since is what its slice says now, under the finding's
lock; who it was, the events after the act's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone

from config.accounts.audit.events import record_event
from config.accounts.models import Act, User
from config.accounts.roles import Permission
from config.accounts.undo.acts import Recording, changes_between, record_act
from config.accounts.undo.registry import Change, Later, Outcome, register
from config.lib.rows import writer
from findings.evaluations import request_recheck
from findings.event_texts import did
from findings.events import Event, send_on_commit, write_events
from findings.facts import Status
from findings.forms import count_label
from findings.models import Evaluation, Finding, FindingEvent
from findings.overrides import NOTED, store_severities
from findings.recording.rows import as_json
from findings.services import lock
from findings.signals import findings_changed
from findings.workflow import RuleType

MUTE, ASSIGN, STATUS = "finding.mute", "finding.assign", "finding.status"
SEVERITY, INBOX = "finding.severity", "finding.inbox"
NOTE = "Undo"
Kind = FindingEvent.Kind
Snapshot = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slice:
    """What acts of a kind change of a finding."""

    label: str
    columns: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # of `workflow`
    # What follows from these is put back whatever it is now: rules are asked again anyway.
    derived: tuple[str, ...] = ()
    derived_groups: tuple[str, ...] = ()
    rules: tuple[RuleType, ...] = ()  # of `workflow.automations`
    # Only where it still is as the act left it: the pipeline goes on meanwhile.
    unless_moved: tuple[str, ...] = ()

    def of(self, finding: Finding) -> dict[str, Any]:
        """As JSON."""
        return {
            "own": {name: _plain(getattr(finding, name)) for name in self.columns}
            | {name: finding.workflow.get(name) for name in self.groups},
            "derived": {name: _plain(getattr(finding, name)) for name in self.derived}
            | {name: finding.workflow.get(name) for name in self.derived_groups},
            "rules": [a for a in _automations(finding) if a["rule_type"] in self.rules],
            "unless_moved": {n: _plain(_value(finding, n)) for n in self.unless_moved},
        }

    def columns_to_restore(self, finding: Finding, change: Change) -> dict[str, Any]:
        """What its row gets; the same names of all."""
        before, present = change.before, self.of(finding)
        values = {name: before["own"][name] for name in self.columns}
        values |= {name: before["derived"][name] for name in self.derived}
        for name, value in change.after["unless_moved"].items():
            now = present["unless_moved"][name]
            values[name] = before["unless_moved"][name] if now == value else now
        return {**values, "workflow": as_json(self._workflow(finding, before))}

    def _workflow(self, finding: Finding, before: Snapshot) -> dict[str, Any]:
        groups = {name: before["own"][name] for name in self.groups}
        groups |= {name: before["derived"][name] for name in self.derived_groups}
        others = [a for a in _automations(finding) if a["rule_type"] not in self.rules]
        order = list(RuleType)
        entries = sorted(
            [*others, *before["rules"]], key=lambda a: order.index(RuleType(a["rule_type"]))
        )
        groups["automations"] = entries or None
        kept = {name: group for name, group in finding.workflow.items() if name not in groups}
        return kept | {name: group for name, group in groups.items() if group is not None}


_MUTED = ("status", "muted_until", "mute_rule_id", "is_mute_lifted")
_DUE = ("due_at", "due_rule_id")
SLICES: Mapping[str, Slice] = {
    MUTE: Slice(
        "Mute",
        columns=_MUTED,
        groups=("mute",),
        derived=("unmuted_rule_id", *_DUE),
        derived_groups=("due_date",),
        rules=(RuleType.MUTE, RuleType.DUE_DATE),
    ),
    STATUS: Slice(
        "Status change",
        columns=_MUTED,
        groups=("mute",),
        derived=("unmuted_rule_id", "resolved_at", *_DUE),
        derived_groups=("due_date",),
        rules=(RuleType.MUTE, RuleType.DUE_DATE),
        unless_moved=("detection_changed_at", "unevaluated_since", "ticket", "ticket_rule_id"),
    ),
    ASSIGN: Slice("Assignment", groups=("triage",)),
    SEVERITY: Slice("Severity change", columns=("person_severity",), groups=(NOTED,)),
    INBOX: Slice(
        "Security Inbox change",
        columns=("is_in_inbox", "inbox_choice", "inbox_rule_id"),
        groups=("security_inbox",),
        rules=(RuleType.INBOX,),
    ),
}


def snapshots(kind: str, pks: Sequence[int]) -> dict[str, Snapshot]:
    """Primary key → slice of these findings, which stay locked. Two or three statements."""
    last = FindingEvent.objects.filter(finding__in=pks).order_by().values_list("finding")
    own = SLICES[kind]
    rows = Finding.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True)
    moving = [name for name in own.unless_moved if name not in _OF_EVALUATION]
    needed = list(rows.only("workflow", *own.columns, *own.derived, *moving))
    _read_evaluations(own, needed)
    found = {str(finding.pk): own.of(finding) for finding in needed}
    events = {str(pk): event for pk, event in last.annotate(Max("pk"))}
    return {key: {**each, "event": events.get(key, 0)} for key, each in found.items()}


_COLUMNS = {
    field.name: field for model in (Evaluation, Finding) for field in model._meta.concrete_fields
}
_OF_EVALUATION = ("unevaluated_since", "recheck_since")


def _value(finding: Finding, name: str) -> Any:
    return getattr(finding.evaluation if name in _OF_EVALUATION else finding, name)


def _read_evaluations(own: Slice, findings: Sequence[Finding]) -> None:
    if set(own.unless_moved) & set(_OF_EVALUATION):
        prefetch_related_objects(findings, "evaluation")


@contextmanager
def recorded(kind: str, pks: Sequence[int], *, actor: User) -> Iterator[Recording]:
    """Keep what is done to these findings within, so that it can be undone. One transaction."""
    recording = Recording()
    with transaction.atomic():
        before = snapshots(kind, pks)
        yield recording
        if changes := changes_between(before, snapshots(kind, pks)):
            recording.act = record_act(kind, changes, actor=actor)


def restore(kind: str, changes: Sequence[Change], *, actor: User) -> dict[str, Later]:
    """Put these back in the caller's transaction; what is left as it is, and why."""
    findings = {str(finding.pk): finding for finding in lock([int(c.object_id) for c in changes])}
    own = SLICES[kind]
    _read_evaluations(own, list(findings.values()))
    is_same = {
        c.object_id: own.of(findings[c.object_id])["own"] == c.after["own"]
        for c in changes
        if c.object_id in findings
    }
    same = [(findings[c.object_id], c) for c in changes if is_same.get(c.object_id)]
    left = [c for c in changes if not is_same.get(c.object_id)]
    if same:
        _put_back(kind, same, actor=actor)
    return _later(left)


def _put_back(kind: str, same: Sequence[tuple[Finding, Change]], *, actor: User) -> None:
    now = timezone.now()
    events = [_event(kind, finding, change) for finding, change in same]
    if kind == SEVERITY:
        _put_back_severities(same, now)
    else:
        _store(SLICES[kind], same, now)
    write_events([event._replace(note=NOTE) for event in events], actor=actor, now=now)
    send_on_commit(findings_changed)


def _put_back_severities(same: Sequence[tuple[Finding, Change]], now: datetime) -> None:
    rows = []
    for finding, change in same:
        own = change.before["own"]
        workflow = {name: each for name, each in finding.workflow.items() if name != NOTED}
        noted = {NOTED: own[NOTED]} if own[NOTED] is not None else {}
        rows.append((finding, own["person_severity"], workflow | noted))
    store_severities(rows, now)


def _store(own: Slice, same: Sequence[tuple[Finding, Change]], now: datetime) -> None:
    """Rules look at what is open or muted again: they may have changed since."""
    rows = [(finding, own.columns_to_restore(finding, change)) for finding, change in same]
    for model in (Finding, Evaluation):
        names = [name for name in rows[0][1] if (name in _OF_EVALUATION) == (model is Evaluation)]
        if names:
            restored = [(f.pk, *(_read(n, values[n]) for n in names)) for f, values in rows]
            writer().update(model, names, restored)
    here = [f.pk for f, values in rows if not Status(values.get("status", f.status)).is_gone]
    request_recheck(here, now=now)


def _event(kind: str, finding: Finding, change: Change) -> Event:
    """What undoing does to the finding, as its timeline tells it."""
    own = change.before["own"]
    if kind == ASSIGN:
        names = [_assignee(each) for each in (finding.workflow.get("triage"), own["triage"])]
        return Event(finding.pk, Kind.ASSIGNED, *names)
    if kind == SEVERITY:
        was = own["person_severity"]
        beneath = finding.rule_severity or finding.source_severity
        told = Kind.OVERRIDDEN if was else Kind.RESTORED
        return Event(finding.pk, told, finding.severity, was or beneath)
    if kind == INBOX:
        told = Kind.INBOX_ADDED if own["is_in_inbox"] else Kind.INBOX_REMOVED
        return Event(finding.pk, told, "", "")
    if own["status"] == Status.MUTED:
        return Event(finding.pk, Kind.MUTED, finding.status, (own["mute"] or {}).get("reason", ""))
    told = Kind.UNMUTED if finding.status == Status.MUTED else Kind.STATUS
    return Event(finding.pk, told, finding.status, own["status"])


def _assignee(triage: Mapping[str, Any] | None) -> str:
    return str(((triage or {}).get("assignee") or {}).get("name", ""))


def _later(left: Sequence[Change]) -> dict[str, Later]:
    """Who changed each of these since the act: the last of the events after its own."""
    if not left:
        return {}
    pks = [int(change.object_id) for change in left]
    first = min(change.after["event"] for change in left)
    since = {change.object_id: change.after["event"] for change in left}
    events = FindingEvent.objects.filter(finding__in=pks, pk__gt=first).select_related("actor")
    found = {
        str(event.finding_id): Later(*did(event), event.created_at)
        for event in events.order_by("pk")
        if event.pk > since[str(event.finding_id)]
    }
    return {key: found.get(key, Later("It was changed or deleted since.")) for key in since}


def outcome_of(kind: str, changes: Sequence[Change], left: Mapping[str, Later]) -> Outcome:
    restored = [change for change in changes if change.object_id not in left]
    words = _as_they_were(kind, restored)
    if len(restored) == 1:
        return Outcome(f"{SLICES[kind].label} undone", f"The finding is as it was{words}.", left)
    text = f"{count_label(len(restored))} are as they were{words}."
    return Outcome(f"{SLICES[kind].label} undone", text, left)


def _as_they_were(kind: str, restored: Sequence[Change]) -> str:
    """ ": 71 open, 14 in progress"."""
    if kind not in (MUTE, STATUS):
        return ""
    counts = Counter(Status(change.before["own"]["status"]) for change in restored)
    if len(restored) == 1:
        return f": {_label(next(iter(counts)))}"
    return ": " + ", ".join(f"{counts[s]:,} {_label(s)}" for s in Status if counts[s])


def _label(status: Status) -> str:
    return status.value.replace("-", " ").replace("_", " ")


def _automations(finding: Finding) -> list[dict[str, Any]]:
    return list(finding.workflow.get("automations", ()))


def _plain(value: Any) -> Any:
    """Of a column, as JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read(name: str, value: Any) -> Any:
    """A column's value from what `_plain` made of it."""
    return value if name == "workflow" else _COLUMNS[name].to_python(value)


@dataclass(frozen=True, slots=True)
class _Reverse:
    kind: str
    permission: Permission = Permission.FINDINGS_WRITE

    def restore(self, act: Act, changes: Sequence[Change], *, actor: User) -> Outcome:
        left = restore(self.kind, changes, actor=actor)
        if number := len(changes) - len(left):
            what = SLICES[self.kind].label.lower()
            details = {"what": what, "findings": [c.object_id for c in changes[:20]]}
            record_event("finding", "undone", actor=actor, count=number, details=details)
        return outcome_of(self.kind, changes, left)

    def links_to(self, object_ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        return links_to(object_ids)


def links_to(object_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    there = Finding.objects.filter(pk__in=[int(each) for each in object_ids])
    return {
        str(pk): (title, reverse("findings:finding-show", args=[finding_id]))
        for pk, title, finding_id in there.values_list("pk", "title", "finding_id")
    }


for _kind in SLICES:
    register(_kind, _Reverse(_kind))
