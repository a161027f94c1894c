"""Fingerprints: what makes two records of two reports the same finding."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import blake2b
from typing import Any

RECIPE_VERSION = 2
"""Of what goes into fingerprints. A reader that changes it gives what the recipes before made of a
finding as `former_fingerprints`, and the number here goes up: what is stored is taken over."""


def fingerprint(*parts: Any) -> str:
    """A one-way digest of the parts (JSON values): 32 hexadecimal digits."""
    content = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return blake2b(content.encode(), digest_size=16).hexdigest()


def correlation(*parts: Any) -> str:
    """What findings of several tools about the same problem have in common.

    It is no identity: each tool's finding stays its own, with its own life.
    """
    return fingerprint("correlation", *parts)


class Occurrences:
    """Tells equal problems in one report apart: the second and later ones get a number.

    Two calls of the same unsafe function with the same text in one file are two findings.
    Counting them instead of taking their lines keeps both identities when lines move. The same
    at the same place is no second one.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._places = Firsts()

    def name(self, base: str, place: Any) -> str:
        """The fingerprint; "" where this base was named at this place (a JSON value) before."""
        if not self._places.has(fingerprint(base, place)):
            return ""
        return self._count(base)

    def tell_apart(self, record: dict[str, Any], place: Any) -> bool:
        """Name a record and count its former fingerprints; whether it is not the same again.

        Recipe 1 counted what is the same again, too.
        """
        record["fingerprint"] = self.name(record["fingerprint"], place)
        record["former_fingerprints"] = tuple(
            self._count(f"{nth} {base}").partition(" ")[2]
            for nth, base in enumerate(record.get("former_fingerprints", ()))
        )
        return bool(record["fingerprint"])

    def _count(self, base: str) -> str:
        self._seen[base] += 1
        count = self._seen[base]
        return base if count == 1 else f"{base}-{count}"


class Firsts:
    """Tells the first record of a finding from later ones of the same report.

    Eight bytes of each fingerprint: a million findings take some 60 MB instead of 120.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def has(self, name: str) -> bool:
        """Whether a finding of this fingerprint was not asked about before."""
        short = int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
        is_first = short not in self._seen
        self._seen.add(short)
        return is_first
