"""What the pipeline does with findings: it claims them, and keeps what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, Self
from uuid import UUID

from config.lib.any_of import AnyOf
from config.lib.rows import writer
from findings.facts import Facts
from findings.models import Evaluation, Finding
from findings.recording.rows import as_json
from findings.recording.stored import columns, decoder
from findings.rule_state import STATE_COLUMNS, RuleState
from findings.selectors import unevaluated


class Claimed(NamedTuple):
    pk: int
    facts: Facts
    state: RuleState = RuleState()

    @classmethod
    def read(cls, row: Sequence[Any]) -> Self:
        """From the values of `CLAIMED`."""
        pk, *values = row
        _decode(values)
        state = _STATE_OF(values)  # of most: nothing is set
        return cls._make(
            (
                pk,
                Facts._make(values[: len(Facts._fields)]),
                _NO_STATE if state == _NO_STATE else RuleState.read(state),
            )
        )


_COLUMNS = tuple(dict.fromkeys((*Facts._fields, *STATE_COLUMNS)))
CLAIMED = ("pk", *columns(_COLUMNS))
_STATE_OF = itemgetter(*map(_COLUMNS.index, STATE_COLUMNS))
_NO_STATE = RuleState()
_decode = decoder(_COLUMNS)


class TicketUpdate(NamedTuple):
    """The ticket of a finding as it is from now on; `workflow` replaces the whole group."""

    pk: int
    ticket: str
    ticket_key: str
    ticket_status: str
    ticket_rule_id: UUID | None
    workflow: Mapping[str, Any]
    ticketed_at: datetime | None = None


def claim_unevaluated(*, limit: int, pks: Sequence[int] = ()) -> list[Claimed]:
    """The findings that wait longest for a decision, locked until the transaction ends; of
    these alone, if any are named.

    Several workers never get the same finding: PostgreSQL skips what another one holds, and
    SQLite's immediate transactions run one after another. Call inside a transaction.
    """
    waiting = unevaluated().filter(pk__in=pks) if pks else unevaluated()
    rows = (
        waiting.order_by("evaluation__unevaluated_since", "pk")
        # Both rows: another worker's decision changes this one, and often nothing of the finding.
        .select_for_update(skip_locked=True, no_key=True)
        .values_list(*CLAIMED)[:limit]
    )
    return list(map(Claimed.read, rows))


def settle_evaluated(pks: Iterable[int], *, decided_at: datetime) -> None:
    """These findings have their decision."""
    Evaluation.objects.filter(AnyOf("finding_id", pks)).update(
        unevaluated_since=None, decided_at=decided_at, recheck_since=None
    )


def store_tickets(updates: Sequence[TicketUpdate]) -> None:
    """Keep on each finding what became of its ticket. The caller holds the rows' lock."""
    if updates:
        writer().update(
            Finding,
            TicketUpdate._fields[1:],
            [(*update[:-2], as_json(update.workflow), update.ticketed_at) for update in updates],
        )
