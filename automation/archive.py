"""What an archived finding had of decisions. Those that explain a ticket stay with the ticket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from automation.models import Decision, TestRun
from automation.retention import PROMISES, note_missing_decisions
from findings.archive.documents import row_of, values_of
from findings.archive.parts import register
from findings.facts import Ticket
from findings.models import Finding

Outcome = Decision.Outcome


class DecisionsPart:
    def staying(self, pks: Sequence[int]) -> set[int]:
        tests = TestRun.objects.filter(finding__in=pks).order_by()
        return set(tests.values_list("finding_id", flat=True))

    def dump(self, pks: Sequence[int]) -> Mapping[int, Any]:
        found = defaultdict(list)
        for decision in Decision.objects.filter(finding__in=pks).order_by("pk"):
            found[decision.finding_id or 0].append(values_of(decision, but={"finding"}))
        return found

    def kept(self, finding: Finding, document: Any) -> Any:
        """Those that hold: of the rules that act on it now, and of how it came to its ticket."""
        once = [each for each in document if each["outcome"] != Outcome.APPLIED]
        is_ticketed = Ticket(finding.ticket).is_attached
        held = [each for each in document if each["outcome"] == Outcome.APPLIED]
        return held + (once[-1:] if is_ticketed else [])

    def forget(self, pks: Sequence[int]) -> None:
        going = Decision.objects.filter(finding__in=pks).exclude(outcome__in=PROMISES)
        note_missing_decisions(list(going.order_by().values_list("pk", flat=True)))
        going.delete()

    def complete(self, rows: Mapping[int, tuple[Finding, Any]]) -> None:
        """What rules that act on existing findings do now is not for a file to say."""
        past = {
            pk: (row, [each for each in all_of or () if each["outcome"] != Outcome.APPLIED])
            for pk, (row, all_of) in rows.items()
        }
        self.restore(past)

    def restore(self, rows: Mapping[int, tuple[Finding, Any]]) -> None:
        said = {each["id"]: (pk, each) for pk, (_, all_of) in rows.items() for each in all_of or ()}
        there = Decision.objects.in_bulk(list(said))
        for number, decision in there.items():
            if decision.finding_id is None and _is_same(decision, said[number][1]):
                Decision.objects.filter(pk=number, finding=None).update(finding=said[number][0])
        have = set(
            Decision.objects.filter(finding__in=list(rows))
            .order_by()
            .values_list("finding_id", "kind", "requested_at")
        )
        new = []
        for number, (pk, each) in said.items():
            is_free = number not in there
            row = row_of(Decision, each, id=number if is_free else None, finding_id=pk)
            if (pk, row.kind, row.requested_at) not in have:
                new.append(row)
        Decision.objects.bulk_create(new)


def _is_same(decision: Decision, said: Mapping[str, Any]) -> bool:
    return values_of(decision, but={"finding"}) == said


register("decisions", DecisionsPart())
