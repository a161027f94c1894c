"""Severities as scanners write them, as ours."""

from __future__ import annotations

from typing import Any

from findings.facts import Severity
from findings.formats.values import number

_WORDS = {
    "critical": Severity.CRITICAL,
    "blocker": Severity.CRITICAL,
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "low": Severity.LOW,
    "minor": Severity.LOW,
    "info": Severity.INFO,
    "informational": Severity.INFO,
    "negligible": Severity.INFO,
    "none": Severity.NONE,
}


def from_word(word: str) -> Severity | None:
    """The severity that the word names, in any case; None for a word that names none."""
    return _WORDS.get(word.lower())


def from_score(value: Any) -> Severity | None:
    """The band of a CVSS 3 or 4 score (first.org, qualitative severity rating scale)."""
    score = number(value)
    if score is None:
        return None
    for bottom, severity in (
        (9.0, Severity.CRITICAL),
        (7.0, Severity.HIGH),
        (4.0, Severity.MEDIUM),
        (0.1, Severity.LOW),
    ):
        if score >= bottom:
            return severity
    return Severity.NONE
