"""What a kind of rules is: the one door through which `automation` knows them.

A kind says what its rules may say (`Action`), what it refuses, and what it does with a chunk of
findings of which each has at most one matching rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from automation.engine.rules import RuleSpec
from automation.kinds.action_form import ActionForm
from automation.kinds.effect_preview import EffectPreview
from automation.models import Decision
from findings.imports.rule_counts import RuleCounts
from findings.models import Finding
from findings.rule_state import RuleActor
from findings.services import Claimed


class Match(NamedTuple):
    finding: Claimed
    rule: RuleSpec | None  # the first of the kind that matches

    @property
    def actor(self) -> RuleActor | None:
        return actor_of(self.rule) if self.rule else None


class Verdict(NamedTuple):
    """What became of one finding."""

    finding_pk: int
    outcome: Decision.Outcome
    rule_id: UUID | None = None
    case_id: UUID | None = None
    used_before: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Findings that are decided together. The caller holds their locks and the transaction."""

    matches: Sequence[Match]
    version: int  # of the kind's rule set
    has_rules: bool  # whether any is enabled
    now: datetime


class Problem(NamedTuple):
    """What is wrong with what a rule says; `position` is where in a text, from 0."""

    field: str
    sentence: str
    position: int | None = None


class Note(NamedTuple):
    """What people, or time, have made of what a rule did."""

    text: str
    search: Sequence[tuple[str, str]]  # the explorer's address for these findings
    is_warning: bool = False


class Applied(NamedTuple):
    findings: Sequence[Claimed]  # in the chunk's order, as the next kind sees them
    verdicts: Sequence[Verdict]
    withdrawn: Sequence[int] = ()  # findings that keep nothing of the kind's any more
    broken: Mapping[UUID, str] = {}  # rules that cannot do what they say → why


class Planner(ABC):
    """What rules of a kind would do to chunk after chunk, with nothing written. It remembers what
    the chunks before took."""

    @abstractmethod
    def plan(self, chunk: Chunk) -> Sequence[Claimed]:
        """The findings as the next kind would see them."""

    @property
    def broken(self) -> Collection[str]:
        """Rules that would be switched off by now, because they cannot do what they say."""
        return ()

    def write(self, counts: RuleCounts) -> None:  # noqa: B027  of kinds that create tickets
        """What became of the findings."""


class RuleKind(ABC):
    """One kind of rules; `kinds.registry` lists them in the order in which they act."""

    name: ClassVar[str]  # stored, and in URLs
    label: ClassVar[str]  # "Create Ticket"
    resource_type: ClassVar[str]  # on the public API, in documents and in paths
    rule_type: ClassVar[str]  # in a finding's `workflow.automations`
    Action: ClassVar[Any]  # a msgspec Struct, or a union of tagged ones
    slug: ClassVar[str]  # in addresses: "create_ticket"
    icon: ClassVar[str]
    summary: ClassVar[str]  # what its rules do, for who adds one
    effect_label: ClassVar[str]  # head of the list's column that says what each rule does
    done: ClassVar[str]  # "muted": of so many findings, in the last day
    passed_over: ClassVar[str] = "Passed over"
    """Of a rule that matches a finding and does not act on it."""
    passes_over: ClassVar[bool] = False
    """Whether a rule that matches may leave a finding to the next one, whatever it is."""
    not_in_query: ClassVar[Mapping[str, str]] = {}
    """Attributes that the kind's queries may not use, besides those that none may → why not."""
    severity_path: ClassVar[str] = "severity"
    """The attribute that the severities among the criteria are about."""
    severity_label: ClassVar[str] = "Severity"
    severity_help: ClassVar[str] = ""
    field_paths: ClassVar[Mapping[str, str]] = {}
    """What problems call by another name than the action does → where in the action it is."""
    moments: ClassVar[Sequence[str]] = ()
    """Members of the action that are epoch milliseconds; files write them as times."""
    defaults: ClassVar[Sequence[RuleSpec]] = ()
    """Rules that come with the product, tried after all others."""
    acts_on_existing: ClassVar[bool] = True
    """Whether open findings are looked at again when the rules change, and every hour."""

    def problems(
        self, action: Any, *, finding_types: Sequence[str], query: str
    ) -> Sequence[Problem]:
        """What is wrong with an action, or with criteria that other kinds take."""
        return ()

    def problems_now(self, action: Any, *, before: Any, now: datetime) -> Sequence[Problem]:
        """What is wrong with an action that is said now, and was right once; `before` is what
        the rule did until now, None for a new one."""
        return ()

    def said(self, action: Any, *, before: Any) -> Any:
        """The action with what it leaves unsaid; `before` is what the rule did until now, None for
        a new one."""
        return action

    def require_allowed(self, actions: Sequence[Any]) -> Mapping[str, str]:
        """Why rules with these actions may not be on; by field, empty if they may."""
        return {}

    def rules_changed(self, actions: Sequence[Any]) -> None:  # noqa: B027  a hook
        """Rules that are on were written, inside the transaction that writes them."""

    @abstractmethod
    def brief(self, action: Any) -> str:
        """What a rule does, in a few words."""

    def has_ended(self, action: Any, now: datetime) -> bool:
        """Whether a rule that is on acts no longer, because its time is over."""
        return False

    def skips(self, finding: Claimed) -> bool:
        """Whether no rule of the kind is asked about the finding."""
        return False

    def accepts(self, rule: RuleSpec, finding: Claimed, now: datetime) -> bool:
        """Whether a rule that matches acts; otherwise the next one is tried."""
        return True

    def is_idle(self, findings: Sequence[Claimed]) -> bool:
        """Whether without a rule that is on there is nothing to do with them."""
        return False

    @abstractmethod
    def apply(self, chunk: Chunk) -> Applied:
        """Do it: set-based, a constant number of statements."""

    @abstractmethod
    def planner(self, active: Sequence[RuleSpec]) -> Planner:
        """For these rules, in order."""

    def read(self, stored: Mapping[str, Any]) -> Any:
        """The action from JSON. What is absent takes its default, what is unknown is left out.

        Raises msgspec.ValidationError.
        """
        return msgspec.convert(stored, self.Action)

    def write(self, action: Any) -> dict[str, Any]:
        """The action as JSON, without what was not said."""
        values: dict[str, Any] = msgspec.to_builtins(action)
        return {name: value for name, value in values.items() if value is not None}


class EffectKind(RuleKind):
    """A kind whose rules set something on the finding, which goes when none of them matches."""

    holder: ClassVar[str]
    """Where a finding names the rule which has set it, as a look-up: "mute_rule_id"."""
    Form: ClassVar[type[ActionForm]]
    """What the editor asks of its rules, in `automation/kinds/<name>/_fields.html`."""
    preview: ClassVar[EffectPreview]
    """What it counts and says while a rule is written, in `…/_preview.html`."""

    @property
    def fields_template(self) -> str:
        return f"automation/kinds/{self.name}/_fields.html"

    @property
    def preview_template(self) -> str:
        return f"automation/kinds/{self.name}/_preview.html"

    @abstractmethod
    def foresee(self, match: Match, now: datetime) -> Claimed:
        """The finding as `store` would leave it."""

    @property
    def did_template(self) -> str:
        """What a rule has done to a finding, in a line."""
        return f"automation/kinds/{self.name}/_did.html"

    @property
    def effect_template(self) -> str:
        """What a rule would do, in the list."""
        return f"automation/kinds/{self.name}/_effect.html"

    def has_effect(self, finding: Claimed) -> bool:
        """Whether a rule of the kind has set something on it."""
        return bool(getattr(finding.state, self.holder))

    def is_idle(self, findings: Sequence[Claimed]) -> bool:
        return not any(map(self.has_effect, findings))

    def held_by(self, rule_id: UUID) -> QuerySet[Finding]:
        """The findings on which the rule has set something."""
        return Finding.objects.filter(**{self.holder: str(rule_id)})

    def holds(self, finding: Finding, rule_id: UUID | None) -> bool:
        """Whether what the finding has of the kind is this rule's."""
        column, *keys = self.holder.split("__")
        named = reduce(lambda group, key: group.get(key, {}), keys, getattr(finding, column))
        return str(named) == str(rule_id)

    def notes(self, rules: Sequence[RuleSpec], now: datetime) -> Mapping[UUID, Note]:
        """What the list says beneath rules that were not left to themselves. One statement."""
        return {}

    @abstractmethod
    def if_deleted(self, number: int) -> str:
        """What happens to so many findings on which a rule has set something, in a sentence."""

    def describe(self, action: Any, query: str) -> Mapping[str, Any]:
        """What `automation/kinds/<name>/_effect.html` shows besides the action itself."""
        return {}

    @abstractmethod
    def store(self, matches: Sequence[Match], now: datetime) -> Sequence[Claimed]:
        """Set it, or take it back where no rule matches; the findings in order as they are then.

        What did not change is the same object.
        """

    def planner(self, active: Sequence[RuleSpec]) -> Planner:
        return _Foreseen(self)

    def apply(self, chunk: Chunk) -> Applied:
        after = self.store(chunk.matches, chunk.now)
        changed = [
            match
            for match, now in zip(chunk.matches, after, strict=True)
            if now is not match.finding
        ]
        return Applied(
            after,
            [
                Verdict(match.finding.pk, Decision.Outcome.APPLIED, UUID(match.rule.id))
                for match in changed
                if match.rule is not None and not match.rule.is_default
            ],
            withdrawn=[
                match.finding.pk for match in changed if match.rule is None or match.rule.is_default
            ],
        )


class _Foreseen(Planner):
    def __init__(self, kind: EffectKind) -> None:
        self._kind = kind

    def plan(self, chunk: Chunk) -> Sequence[Claimed]:
        kind = self._kind
        return [
            kind.foresee(match, chunk.now)
            if match.rule or kind.has_effect(match.finding)
            else match.finding
            for match in chunk.matches
        ]


def actor_of(rule: RuleSpec) -> RuleActor:
    return RuleActor(rule.id, rule.name)
