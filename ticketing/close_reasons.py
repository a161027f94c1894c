"""Why a ticket is closed, told from its findings or from somebody's words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from findings.facts import Status


class CloseReason(StrEnum):
    FIXED = "fixed"
    RISK_ACCEPTED = "risk_accepted"
    FALSE_POSITIVE = "false_positive"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        return LABELS[self]

    @property
    def is_wont_fix(self) -> bool:
        """Whether it was decided against a fix, so that seeing the finding again is no news."""
        return self in (CloseReason.RISK_ACCEPTED, CloseReason.FALSE_POSITIVE)


LABELS: Mapping[CloseReason, str] = {
    CloseReason.FIXED: "Fixed",
    CloseReason.RISK_ACCEPTED: "Risk accepted",
    CloseReason.FALSE_POSITIVE: "False positive",
    CloseReason.REMOVED: "No longer reported",
}
RESOLUTIONS: Mapping[CloseReason, tuple[str, ...]] = {
    CloseReason.FIXED: ("Fixed", "Done", "Resolved"),
    CloseReason.RISK_ACCEPTED: ("Risk Accepted", "Won't Do", "Won't Fix"),
    CloseReason.FALSE_POSITIVE: (
        "False Positive",
        "Invalid",
        "Not a Bug",
        "Won't Do",
        "Won't Fix",
    ),
    CloseReason.REMOVED: ("Obsolete", "Done", "Fixed"),
}
"""Names of resolutions, the best first, where a project does not name its own."""

_WORDS = {
    CloseReason.FIXED: "done fixed resolved complete completed remediated",
    CloseReason.RISK_ACCEPTED: (
        "risk-accepted accepted-risk accept-risk risk-acceptance accepted wont-do wont-fix "
        "will-not-do will-not-fix no-fix declined rejected"
    ),
    CloseReason.FALSE_POSITIVE: (
        "false-positive invalid not-a-bug not-a-defect not-a-vulnerability not-an-issue "
        "not-applicable works-as-designed as-designed duplicate"
    ),
    CloseReason.REMOVED: "obsolete removed decommissioned no-longer-reported",
}
_REASON_OF = {word: reason for reason, words in _WORDS.items() for word in words.split()}
_FALSE = ("FALSE_POSITIVE", "DUPLICATE")  # reasons of a mute that deny the finding


def normal(name: str) -> str:
    """A name as it is compared: "Won't Do", "won’t do" and "WONT_DO" are the same."""
    return re.sub(r"[\W_]+", "-", re.sub("['’]", "", name.casefold())).strip("-")


def reason_of_words(text: str) -> CloseReason | None:
    """What a resolution, a status or a person's words mean, if that is known."""
    return _REASON_OF.get(normal(text))


def reason_of_findings(findings: Iterable[tuple[str, str | None]]) -> CloseReason:
    """Of the (status, reason of the mute) of a ticket's findings, none of which is open.

    One that was fixed or is gone speaks for all: seen again, it is to be worked on.
    """
    seen = set(findings)
    statuses = {status for status, _ in seen}
    if Status.RESOLVED in statuses:
        return CloseReason.FIXED
    if Status.AUTO_CLOSED in statuses or Status.MUTED not in statuses:
        return CloseReason.REMOVED
    mutes = {mute for status, mute in seen if status == Status.MUTED}
    is_false = mutes <= set(_FALSE)
    return CloseReason.FALSE_POSITIVE if is_false else CloseReason.RISK_ACCEPTED
