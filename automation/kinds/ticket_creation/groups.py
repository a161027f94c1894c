"""Which ticket a finding shares: the open one of its group, one that this chunk opens, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from automation.engine.rules import RuleSpec
from findings.facts import Facts
from findings.grouping import key_of
from findings.services import Claimed
from ticketing.attachments import Subject
from ticketing.group_text import where
from ticketing.groups import Addition, OpenGroup, lock_groups
from ticketing.models import MAX_FINDINGS_OF_GROUP


@dataclass(slots=True)
class Ticket:
    """One that stands for a group, and what this chunk adds to it."""

    rule: RuleSpec
    key: str
    values: Sequence[str]
    case_id: UUID
    joined: OpenGroup | None = None  # it is there; otherwise this chunk opens it
    follows: Ticket | None = None
    is_continuation: bool = False
    is_last: bool = True  # of its group
    findings: list[Claimed] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        there = self.joined.size if self.joined else 0
        return there + len(self.findings) >= MAX_FINDINGS_OF_GROUP

    @property
    def takes_more(self) -> bool:
        if self.joined is None:
            return True
        return self.joined.takes(reopens=bool(self.rule.action.reopens_closed))


class Groups:
    """The groups of the findings of a chunk, with what is open of them, locked."""

    def __init__(self, matched: Iterable[tuple[RuleSpec, Claimed]] = ()) -> None:
        self._values: dict[int, Sequence[str]] = {}
        self._keys: dict[int, str] = {}
        wanted: dict[UUID, set[str]] = {}
        for rule, finding in matched:
            if found := key_of(rule.action.grouping, finding.facts):
                key, self._values[finding.pk] = found
                self._keys[finding.pk] = key
                wanted.setdefault(UUID(rule.id), set()).add(key)
        self._open = lock_groups(wanted)
        self._newest: dict[tuple[str, str], Ticket] = {}
        self.opened: list[Ticket] = []

    def has(self, finding: Claimed) -> bool:
        """Whether the finding is of a group, and not alone."""
        return finding.pk in self._keys

    def ticket_to_join(self, rule: RuleSpec, finding: Claimed) -> Ticket | None:
        """The one that takes the finding without a slot."""
        newest = self._of(rule, finding)
        return newest if newest and newest.takes_more and not newest.is_full else None

    def open(self, rule: RuleSpec, finding: Claimed) -> Ticket:
        """Another one for the group, after the one it has, if it has one."""
        before = self._of(rule, finding)
        key = self._keys[finding.pk]
        ticket = Ticket(
            rule,
            key,
            self._values[finding.pk],
            uuid4(),
            follows=before,
            is_continuation=before is not None and before.is_full,
        )
        if before is not None:
            before.is_last = False
        self._newest[rule.id, key] = ticket
        self.opened.append(ticket)
        return ticket

    @property
    def additions(self) -> list[Addition]:
        """What joins cases that are there."""
        return [
            Addition(ticket.joined, subjects_of(ticket.findings), where(_facts(ticket.findings)))
            for ticket in self._all()
            if ticket.joined and ticket.findings
        ]

    def _all(self) -> list[Ticket]:
        tickets: dict[UUID, Ticket] = {}
        for newest in self._newest.values():
            ticket: Ticket | None = newest
            while ticket:
                tickets[ticket.case_id] = ticket
                ticket = ticket.follows
        return list(tickets.values())

    def _of(self, rule: RuleSpec, finding: Claimed) -> Ticket | None:
        key = self._keys[finding.pk]
        if newest := self._newest.get((rule.id, key)):
            return newest
        there = self._open.get((UUID(rule.id), key))
        if there is None:
            return None
        values = self._values[finding.pk]
        newest = Ticket(rule, key, values, there.case.pk, joined=there)
        self._newest[rule.id, key] = newest
        return newest


def subjects_of(findings: Sequence[Claimed]) -> tuple[Subject, ...]:
    return tuple(Subject(finding.pk, dict(finding.facts.workflow)) for finding in findings)


def _facts(findings: Sequence[Claimed]) -> list[Facts]:
    return [finding.facts for finding in findings]
