"""What the live preview of a kind's rules counts, and the words for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from findings.services import Claimed


class Change(NamedTuple):
    """A finding on which the rule acts: as it is, and as it would be."""

    before: Claimed
    after: Claimed
    now: datetime


class Share(NamedTuple):
    """One line of the legend, and its part of the bar."""

    name: str  # of the colour
    number: int
    text: str


class Consequence(NamedTuple):
    icon: str
    parts: Sequence[tuple[int | None, str]]  # a number, and the words after it


class EffectPreview(ABC):
    """The kind's words; what is counted are any hashable values, which only the kind reads."""

    would: ClassVar[str]  # "open findings would be muted"
    acts: ClassVar[str]  # "would be muted"
    taken: ClassVar[str]  # "already muted by", and then "rule 1 first"
    sample: ClassVar[str] = "Sample of matches"

    @abstractmethod
    def value(self, finding: Claimed) -> Any:
        """What rules of the kind set."""

    def kept(self, finding: Claimed) -> str:
        """Which decision of a person the rule leaves alone; empty if there is none."""
        return ""

    @abstractmethod
    def unchanged(self, action: Any, finding: Claimed) -> str:
        """Why a finding that matches is left as it is, in words after a number."""

    def skipped(self, number: int) -> Consequence | None:
        """Of findings that no rule of the kind is asked about."""
        return None

    def details(self, action: Any, change: Change) -> Iterator[Hashable]:
        """What the breakdown counts of a finding that changes."""
        yield change.after.facts.severity

    def shares(self, action: Any, number: int, details: Counter[Hashable]) -> Iterator[Share]:
        """The lines for the findings that change."""
        yield Share("acts", number, self.acts)

    def number(self, number: int, details: Counter[Hashable]) -> int:
        """Of the findings that change, those to which `would` applies."""
        return number

    def breakdown(
        self,
        action: Any,
        details: Counter[Hashable],
        matches: Counter[str],
        now: datetime,
    ) -> Mapping[str, Any]:
        """What the part between the counts and what follows shows.

        `matches` are all that the rule gets, by severity.
        """
        return {}

    def note(self, change: Change) -> tuple[str, str]:
        """What stands beside a finding of the sample, and its tone."""
        return "", ""

    def changes(self, change: Change) -> Iterator[Hashable]:
        """What a rule of an earlier kind brings about in what rules of this kind set."""
        return iter(())

    def consequences(self, changes: Counter[Hashable]) -> Iterator[Consequence]:
        """In words, how many `changes` there are."""
        return iter(())

    def follows(self, action: Any, details: Counter[Hashable]) -> Iterator[Consequence]:
        """What else comes of it."""
        return iter(())

    def after_save(self, number: int) -> str:
        """What saving does to so many findings; empty: it looks at all of them again."""
        return ""


def in_ranks(details: Iterable[Hashable], ranks: Sequence[str]) -> list[str]:
    """The severities that were counted, the worst first."""
    there = set(details)
    return [each for each in ranks if each in there]
