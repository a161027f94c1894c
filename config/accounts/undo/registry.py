"""What can be undone, by kind. Each app registers its own, so that none below knows of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from config.accounts.models import Act, User
from config.accounts.roles import Permission
from config.lib.elapsed import elapsed, when_text


class Change(NamedTuple):
    """One thing as it was before an act, and as the act left it: JSON that its kind reads."""

    object_id: str
    before: Any
    after: Any


class Later(NamedTuple):
    """Why one thing is not put back: somebody did something to it since, or it cannot be."""

    what: str  # "attached it to SEC-4830"; without `who` a whole sentence
    who: str = ""
    at: datetime | None = None

    def sentence(self, *, is_kept: bool = False) -> str:
        """Of a sentence that is kept, "2 min ago" would soon be wrong."""
        if not self.who:
            return self.what
        when = ""
        if self.at is not None:
            when = f" {when_text(self.at, is_kept=True)}" if is_kept else f" {elapsed(self.at)}"
        return f"{self.who} {self.what}{when}."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What undoing came to, in the words of its toast where nothing was left."""

    title: str
    text: str = ""
    left: Mapping[str, Later] = field(default_factory=dict)  # what is not put back, by its id
    total: int = 0  # things that the act had changed
    link: tuple[str, str] | None = None  # label, address
    is_of_rule: bool = False
    is_warning: bool = False
    progress_url: str = ""  # of what the queue undoes
    progress_max: int = 0


class CannotUndo(Exception):
    """Nothing was changed; `str(error)` is a sentence for the person who asked."""


class Reverse(Protocol):
    """How acts of a kind are undone."""

    @property
    def permission(self) -> Permission:
        """That of the act itself."""

    def restore(self, act: Act, changes: Sequence[Change], *, actor: User) -> Outcome:
        """Put them back, in the caller's transaction, and say so in timelines and the audit log.

        Whatever was changed since the act is left as it is. Raises CannotUndo.
        """

    def links_to(self, object_ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Id → what the thing is called, and its page; of those that are there. One statement."""


_reverses: dict[str, Reverse] = {}


def register(kind: str, reverse: Reverse) -> None:
    _reverses[kind] = reverse


def reverse_of(kind: str) -> Reverse:
    return _reverses[kind]
