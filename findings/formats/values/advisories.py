"""Names of vulnerabilities and weaknesses as reports write them: in any case, in other words."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}", re.IGNORECASE)
_CWE = re.compile(r"cwe[-_ :]?0*(\d{1,5})\b", re.IGNORECASE)
_GHSA = re.compile(r"GHSA(?:-[0-9a-z]{4}){3}", re.IGNORECASE)


def cves_in(words: Iterable[str]) -> list[str]:
    return sorted({found.upper() for word in words for found in _CVE.findall(word)})


def cwes_in(words: Iterable[str]) -> list[str]:
    """`CWE-79` for "CWE:79", "external/cwe/cwe-079", "CWE-79: Cross-site Scripting", by number."""
    numbers = {int(found) for word in words for found in _CWE.findall(word)}
    return [f"CWE-{each}" for each in sorted(numbers)]


def ghsas_in(words: Iterable[str]) -> list[str]:
    found = {match[5:].lower() for word in words for match in _GHSA.findall(word)}
    return [f"GHSA-{each}" for each in sorted(found)]
