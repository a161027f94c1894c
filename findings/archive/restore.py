"""Taking a file of the archive back, a few hundred findings in each transaction.

What is there already stays as it is, so that a file may be taken back twice, or after some of its
findings were reported again. Nothing is evaluated and no ticket is made: they come back resolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
from django.db import transaction

from config.accounts.audit.events import record_event
from config.accounts.models import User
from findings.archive import files
from findings.archive.documents import insert, row_of, values_of
from findings.archive.parts import parts
from findings.archive.tombstones import forget, restore_parts
from findings.models import ArchivedFinding, Finding, FindingEvent, Scope, Source

CHUNK = 200
_EVENT = ("kind", "before", "after", "note", "created_at")


class Restored(NamedTuple):
    restored: int = 0
    present: int = 0  # they were there, and stay as they are
    completed: int = 0  # of those: with earlier events that they lacked

    def plus(self, other: Self) -> Self:
        return type(self)(*(mine + more for mine, more in zip(self, other, strict=True)))


class _Told(NamedTuple):
    """A finding of a file."""

    source: Source
    scope: Scope | None
    document: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        return str(self.document["finding"]["fingerprint"])

    @property
    def parts(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self.document["parts"]
        return said

    @property
    def finding_id(self) -> str:
        return str(self.document["finding"]["finding_id"])


def restore(path: Path) -> Restored:
    """Raises files.BadArchive; what was restored until then stays, and it may be tried again."""
    done = Restored()
    documents = files.read(path)
    while some := list(islice(documents, CHUNK)):
        try:
            done = done.plus(_restore_some(some))
        except (KeyError, TypeError, ValueError) as error:
            raise files.BadArchive(f"{path} has a finding that is not one: {error!r}.") from error
    record_event("finding", "restored", count=done.restored, details={"file": path.name})
    return done


@transaction.atomic
def _restore_some(documents: Sequence[dict[str, Any]]) -> Restored:
    told = _known_sources(documents)
    source_ids = {each.source.pk for each in told}
    # Under the lock under which findings are recorded, so that none of them is reported meanwhile.
    list(Source.objects.filter(pk__in=source_ids).order_by("pk").select_for_update(no_key=True))
    present = _present(told, source_ids)
    new = [each for each in told if _identity(each) not in present]
    if new:
        _insert(new)
    there = [(present[_identity(each)], each) for each in told if _identity(each) in present]
    completed = _complete([pair for pair in there if pair[0].fingerprint == pair[1].fingerprint])
    return Restored(len(new), len(there), completed)


def _identity(told: _Told) -> tuple[int, str]:
    return told.source.pk, told.fingerprint


def _known_sources(documents: Iterable[dict[str, Any]]) -> list[_Told]:
    sources: dict[str, Source] = {}
    scopes: dict[tuple[str, str, str], Scope] = {}
    told = []
    for each in documents:
        name, said = each["source"], each["scope"]
        if name not in sources:
            sources[name] = Source.objects.get_or_create(name=name)[0]
        scope = None
        if said:
            key = (name, said["target"], said["scanner"])
            if key not in scopes:
                scopes[key] = Scope.objects.get_or_create(source=sources[name], **said)[0]
            scope = scopes[key]
        told.append(_Told(sources[name], scope, each))
    return told


def _present(told: Sequence[_Told], source_ids: set[int]) -> dict[tuple[int, str], Finding]:
    """By what they are known: their fingerprints, or under another one their public ids."""
    rows = Finding.objects.filter(
        source__in=source_ids, fingerprint__in=[each.fingerprint for each in told]
    )
    present = {(row.source_id, row.fingerprint): row for row in rows.only("source", "fingerprint")}
    ids = Finding.objects.filter(finding_id__in=[each.finding_id for each in told])
    by_id = {row.finding_id: row for row in ids.only("finding_id", "fingerprint")}
    for each in told:
        if each.finding_id in by_id:
            present.setdefault(_identity(each), by_id[each.finding_id])
    return present


def _insert(told: Sequence[_Told]) -> None:
    ids = [each.finding_id for each in told]
    # The number of a row of this database is free again; that of another one may be anybody's.
    left = ArchivedFinding.objects.filter(finding_id__in=ids)
    numbers = dict(left.values_list("finding_id", "pk_before"))
    rows = [_finding(each, numbers.get(each.finding_id)) for each in told]
    pairs = list(zip(rows, told, strict=True))
    insert([(row, each.document["finding"]) for row, each in pairs])
    _insert_events([(row, each.document["events"]) for row, each in pairs])
    restore_parts([(row, each.parts) for row, each in pairs])
    forget(list(left.values_list("pk", flat=True)))


def _finding(told: _Told, pk: int | None) -> Finding:
    values = told.document["finding"]
    row: Finding = row_of(Finding, values, pk=pk, source=told.source, scope=told.scope)
    return row


def _insert_events(pairs: Iterable[tuple[Finding, Sequence[dict[str, Any]]]]) -> None:
    events = [row_of(FindingEvent, values, finding=row) for row, said in pairs for values in said]
    people = {event.actor_id for event in events if event.actor_id}
    known = set(User.objects.filter(pk__in=people).values_list("pk", flat=True))
    for event in events:
        if event.actor_id not in known:
            event.actor_id = None
    FindingEvent.objects.bulk_create(events)


def _complete(pairs: Sequence[tuple[Finding, _Told]]) -> int:
    """Findings that came back by a report get the events that the file has of them."""
    have: dict[int, set[str]] = {}
    for event in FindingEvent.objects.filter(finding__in=[row.pk for row, _ in pairs]):
        have.setdefault(event.finding_id, set()).add(_key(values_of(event)))
    missing = [
        (row, [said for said in each.document["events"] if _key(said) not in have.get(row.pk, ())])
        for row, each in pairs
    ]
    missing = [(row, said) for row, said in missing if said]
    _insert_events(missing)
    for name, part in parts().items():
        part.complete({row.pk: (row, each.parts.get(name)) for row, each in pairs})
    return len(missing)


def _key(event: dict[str, Any]) -> str:
    return msgspec.json.encode([event[name] for name in _EVENT]).decode()
