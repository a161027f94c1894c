"""Section 11 of the semantics, read aloud: findings one by one, lists, and nothing clever."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Rule(NamedTuple):
    name: str
    env: str | None  # of its findings; None: any
    group_by: tuple[str, ...]
    limit: int
    reopens: bool


@dataclass
class Ticket:
    rule: str
    values: tuple[str, ...] | None  # fields and values; None: of one finding alone
    findings: set[str] = field(default_factory=set)
    is_closed: bool = False
    is_archived: bool = False
    is_emptied: bool = False  # a person took the last finding off
    was_joined: bool = False  # by a finding, while it was closed

    def takes(self, rule: Rule, most: int) -> bool:
        may = not self.is_archived and (not self.is_closed or rule.reopens)
        return may and len(self.findings) < most


class World:
    def __init__(self, rules: list[Rule], most: int) -> None:
        self.rules, self.most = rules, most
        self.tickets: list[Ticket] = []
        self.outcomes: list[tuple[str, str]] = []
        self.used: dict[tuple[str, date], int] = {}

    def decide(self, finding: str, said: dict[str, str], day: date) -> None:
        rule = self._first_match(said)
        if rule is None:
            outcome = "no_match"
        elif self.ticket_of(finding):
            outcome = "already_ticketed"
        else:
            outcome = self._ticket(finding, said, rule, day)
        self.outcomes.append((finding, outcome))

    def ticket_of(self, finding: str) -> Ticket | None:
        return next((each for each in self.tickets if finding in each.findings), None)

    def attach(self, finding: str, ticket: Ticket) -> None:
        if finding not in ticket.findings:
            self.detach(finding)
            ticket.findings.add(finding)

    def detach(self, finding: str) -> None:
        if ticket := self.ticket_of(finding):
            ticket.findings.remove(finding)
            ticket.is_emptied |= not ticket.findings

    def _first_match(self, said: dict[str, str]) -> Rule | None:
        return next((rule for rule in self.rules if rule.env in (None, said["env"])), None)

    def _ticket(self, finding: str, said: dict[str, str], rule: Rule, day: date) -> str:
        values = self._values(rule, said)
        newest = self._newest(rule, values)
        if newest and newest.takes(rule, self.most):
            newest.findings.add(finding)
            newest.was_joined |= newest.is_closed
            return "grouped"
        used = self.used.get((rule.name, day), 0)
        if used >= rule.limit:
            return "over_limit"
        self.used[rule.name, day] = used + 1
        self.tickets.append(Ticket(rule.name, values, {finding}))
        return "ticketed"

    def _values(self, rule: Rule, said: dict[str, str]) -> tuple[str, ...] | None:
        if not rule.group_by or not all(said.get(name) for name in rule.group_by):
            return None
        return tuple(f"{name}={said[name]}" for name in rule.group_by)

    def _newest(self, rule: Rule, values: tuple[str, ...] | None) -> Ticket | None:
        """The last ticket of the group, unless people have emptied it."""
        same = [each for each in self.tickets if (each.rule, each.values) == (rule.name, values)]
        if values is None or not same or same[-1].is_emptied:
            return None
        return same[-1]
