"""Severities as scanners write them, as ours."""

from __future__ import annotations

from typing import Any

from findings.facts import Severity
from findings.formats.values.fields import number

_WORDS = {
    "critical": Severity.CRITICAL,
    "blocker": Severity.CRITICAL,
    "urgent": Severity.CRITICAL,  # Qualys, with "serious" and "minimal"
    "very high": Severity.CRITICAL,  # Veracode, with "very low", which is above "informational"
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "severe": Severity.HIGH,  # Nexpose
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "serious": Severity.MEDIUM,
    "major": Severity.MEDIUM,  # SonarQube, between "critical" and "minor"
    "low": Severity.LOW,
    "minor": Severity.LOW,
    "very low": Severity.LOW,
    "info": Severity.INFO,
    "information": Severity.INFO,
    "informational": Severity.INFO,
    "log": Severity.INFO,  # OpenVAS, with "debug"
    "debug": Severity.INFO,
    "minimal": Severity.INFO,
    "negligible": Severity.INFO,
    "unimportant": Severity.INFO,  # Debian
    "none": Severity.NONE,
}


def from_word(word: str) -> Severity | None:
    """The severity that the word names, in any case; None for a word that names none."""
    return _WORDS.get(" ".join(word.replace("_", " ").lower().split()))


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
