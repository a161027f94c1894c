"""Putting a chunk of resolved findings away: first the file, then the rows.

All of it is one transaction under the lock of the sources, under which findings are recorded, too:
none of them is reported meanwhile. Killed before the end, the file is there and so are the rows,
and the next run writes them again; there is no deletion without a file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from config.lib.rows import store
from findings.archive import files
from findings.archive.documents import document, tombstone_columns
from findings.archive.parts import parts
from findings.archive.selection import candidates, staying
from findings.models import ArchivedFinding, Finding, FindingEvent, Source

CHUNK = 500  # findings looked at in a transaction


class Archived(NamedTuple):
    looked_at: int
    archived: int
    cursor: Any  # JSON, for the next call


@transaction.atomic
def archive_some(
    cutoff: datetime, cursor: Sequence[Any] | None = None, *, folder: Path | None = None
) -> Archived:
    """The next findings that were resolved before then. Some two dozen statements."""
    rows = list(_after(cutoff, cursor)[:CHUNK])
    if not rows:
        return Archived(0, 0, cursor)
    last_pk, last_at = rows[-1][0], rows[-1][1]
    findings = _locked([pk for pk, *_ in rows], {source for *_, source in rows}, cutoff)
    if findings:
        _put_away(findings, folder or settings.ARCHIVE_DIR)
    return Archived(len(rows), len(findings), [last_pk, last_at.isoformat()])


def _after(cutoff: datetime, cursor: Sequence[Any] | None) -> Any:
    rows = candidates(cutoff)
    if cursor:
        pk, at = cursor[0], parse_datetime(cursor[1])
        rows = rows.filter(Q(resolved_at__gt=at) | Q(pk__gt=pk), resolved_at__gte=at)
    return rows.order_by("resolved_at", "pk").values_list("pk", "resolved_at", "source_id")


def _locked(pks: Sequence[int], source_ids: set[int], cutoff: datetime) -> list[Finding]:
    """Those that may go, locked. What somebody else holds is left to another night."""
    sources = Source.objects.filter(pk__in=source_ids).order_by("pk")
    list(sources.select_for_update(no_key=True))
    rows = candidates(cutoff).filter(pk__in=pks).order_by("pk")
    held = list(
        rows.select_for_update(skip_locked=True, of=("self",)).select_related(
            "source", "evaluation"
        )
    )
    stays = staying([finding.pk for finding in held]) if held else set()
    return [finding for finding in held if finding.pk not in stays]


def _put_away(findings: Sequence[Finding], folder: Path) -> None:
    pks = [finding.pk for finding in findings]
    dumps = {name: part.dump(pks) for name, part in parts().items()}
    said: dict[int, dict[str, Any]] = {
        pk: {name: dump[pk] for name, dump in dumps.items() if pk in dump} for pk in pks
    }
    events = defaultdict(list)
    for event in FindingEvent.objects.filter(finding__in=pks).order_by("pk"):
        events[event.finding_id].append(event)
    documents = [document(each, events[each.pk]) | {"parts": said[each.pk]} for each in findings]
    name = files.write(folder, f"findings-{pks[0]}-{pks[-1]}", documents).name
    ArchivedFinding.objects.filter(finding_id__in=[each.finding_id for each in findings]).delete()
    store(_tombstone(each, said[each.pk], name) for each in findings)
    source_ids = {each.source_id for each in findings}
    Source.objects.filter(pk__in=source_ids, has_archived=False).update(has_archived=True)
    for part in parts().values():
        part.forget(pks)
    Finding.objects.filter(pk__in=pks).delete()


def _tombstone(finding: Finding, said: dict[str, Any], name: str) -> ArchivedFinding:
    kept = {key: parts()[key].kept(finding, value) for key, value in said.items()}
    return ArchivedFinding(
        source_id=finding.source_id,
        fingerprint=finding.fingerprint,
        finding_id=finding.finding_id,
        pk_before=finding.pk,
        case_id=said.get("ticket", {}).get("case"),
        columns=tombstone_columns(finding),
        parts={key: value for key, value in kept.items() if value},
        file=name,
    )
