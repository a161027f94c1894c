"""Archived findings that are reported again.

They come back under their id and on their ticket, resolved as they were: the report then opens them
like any other that returns. No rule sees them as new, and no second ticket is made for them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from config.lib.any_of import AnyOf
from findings.archive.documents import insert, row_of
from findings.archive.parts import parts
from findings.models import ArchivedFinding, Finding, Source
from findings.recording.rows import Known


def tombstones(source: Source, fingerprints: Collection[str]) -> list[ArchivedFinding]:
    """One statement; none where nothing of the source is archived."""
    if not source.has_archived or not fingerprints:
        return []
    found = ArchivedFinding.objects.filter(AnyOf("fingerprint", fingerprints), source=source)
    return list(found.order_by("pk_before"))


def bring_back(source: Source, fingerprints: Collection[str]) -> int:
    """Those of them that are archived, in the caller's transaction and under the source's lock."""
    found = tombstones(source, fingerprints)
    if found:
        rows = [finding_of(tombstone) for tombstone in found]
        insert([(row, tombstone.columns) for row, tombstone in zip(rows, found, strict=True)])
        restore_parts([(row, each.parts) for row, each in zip(rows, found, strict=True)])
        forget([tombstone.pk for tombstone in found])
    return len(found)


def finding_of(tombstone: ArchivedFinding) -> Finding:
    """Its digest is of no report: whatever the next one says is written."""
    row: Finding = row_of(
        Finding,
        tombstone.columns,
        pk=tombstone.pk_before,
        source_id=tombstone.source_id,
        digest="",
    )
    return row


def known_of(tombstone: ArchivedFinding) -> Known:
    """As recording will know it, once it is back."""
    row = finding_of(tombstone)
    return Known._make(getattr(row, name) for name in Known._fields)


def restore_parts(rows: Sequence[tuple[Finding, Mapping[str, Any]]]) -> None:
    for name, part in parts().items():
        part.restore({row.pk: (row, said.get(name)) for row, said in rows})


def forget(pks: Sequence[int]) -> None:
    ArchivedFinding.objects.filter(pk__in=pks).delete()
