"""Distinct texts by number, in little memory: a million of 40 characters take 61 MB."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from sys import getsizeof
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from findings.columnar.arrays import Codes, Places
from findings.query.scalars import ascii_lower, is_word_character

SEGMENT = 16_384
"""Texts that are joined into one piece. What is not joined yet is looked at one by one."""
SEGMENT_BYTES = 4 * 1024 * 1024
"""Fewer long texts are one: to join or to search a piece takes as much again for a moment."""
RECENT = 65_536
_INT = 32  # bytes of a number


class _Segment(NamedTuple):
    first: int  # the number of its first text
    buffer: bytes  # each with a line end
    starts: array[int]  # of each text in it, and its length

    def holding(self, wanted: bytes) -> Iterator[int]:
        """Which of its texts hold this in any case (A to Z), and maybe others."""
        lower = self.buffer.lower()  # of bytes: A to Z alone
        at = lower.find(wanted)
        while at >= 0:
            nth = bisect_right(self.starts, at)
            yield self.first + nth - 1
            at = lower.find(wanted, self.starts[nth]) if nth < len(self.starts) else -1

    def text(self, nth: int) -> str:
        return self.buffer[self.starts[nth] : self.starts[nth + 1] - 1].decode()

    @property
    def nbytes(self) -> int:
        return getsizeof(self.buffer) + getsizeof(self.starts) + getsizeof(self) + 2 * _INT


class _Parts(NamedTuple):
    """Replaced together. `last` grows at its end."""

    segments: tuple[_Segment, ...]
    firsts: tuple[int, ...]  # the number of the first text of each, and of `last`
    last: list[str]


class _Run(NamedTuple):
    """Hashes in their order, and the number of the text of each."""

    hashes: NDArray[np.int64]
    codes: Codes


def _run(hashes: NDArray[np.int64], codes: Codes) -> _Run:
    order = np.argsort(hashes, kind="stable")
    return _Run(hashes[order], codes[order])


class Texts(Sequence[str]):
    """Only ever added to, by one thread at a time."""

    def __init__(self) -> None:
        self._parts = _Parts((), (0,), [])
        # Some of them, to find them faster: all that are not among the hashes yet.
        self._recent: dict[str, int] = {}
        self._hashed = 0  # so many of them are
        self._runs: tuple[_Run, ...] = ()  # each at least twice as long as the next
        self._bytes_of_segments = self._bytes_of_last = self._bytes_of_recent = 0

    @property
    def nbytes(self) -> int:
        """Of memory, to a few hundred."""
        parts, runs = self._parts, self._runs
        containers = getsizeof(parts.last) + getsizeof(self._recent) + _INT * len(self._recent)
        texts = self._bytes_of_segments + self._bytes_of_last + self._bytes_of_recent
        return texts + containers + sum(run.hashes.nbytes + run.codes.nbytes for run in runs)

    def __len__(self) -> int:
        parts = self._parts
        return parts.firsts[-1] + len(parts.last)

    @overload
    def __getitem__(self, code: int) -> str: ...
    @overload
    def __getitem__(self, code: slice) -> list[str]: ...
    def __getitem__(self, code: int | slice) -> str | list[str]:
        if isinstance(code, slice):
            return [self[nth] for nth in range(*code.indices(len(self)))]
        segments, firsts, last = self._parts
        piece = bisect_right(firsts, code) - 1
        nth = code - firsts[piece]
        return segments[piece].text(nth) if piece < len(segments) else last[nth]

    def encode(self, texts: Sequence[str]) -> Codes:
        """The number of each text; those that are new get the next ones."""
        recent = self._recent
        codes = np.fromiter((recent.get(text, -1) for text in texts), np.int32, len(texts))
        unknown = np.flatnonzero(codes < 0).tolist()
        pieces = len(self._parts.segments)
        for nth, code in zip(unknown, self._find([texts[nth] for nth in unknown]), strict=True):
            text = texts[nth]
            known = code if code >= 0 else recent.get(text, -1)  # twice in this batch
            codes[nth] = recent[text] = known if known >= 0 else self._add(text)
            self._bytes_of_recent += getsizeof(text) if code >= 0 else 0
        is_joined = pieces < len(self._parts.segments)  # whose texts nobody else holds
        if is_joined or len(recent) > RECENT or self._bytes_of_recent > SEGMENT_BYTES:
            self._merge()
        return codes

    def code(self, text: str) -> int:
        """-1 for one that is not here."""
        known = self._recent.get(text, -1)
        return known if known >= 0 else self._find([text])[0]

    def _find(self, texts: Sequence[str]) -> list[int]:
        """By their hashes, and then by what they are: two texts may have one hash."""
        runs = self._runs
        if not runs or not texts:
            return [-1] * len(texts)
        wanted = np.fromiter(map(hash, texts), np.int64, len(texts))
        found = np.full(len(texts), -1, dtype=np.int32)
        for hashes, codes in runs:
            at = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
            found = np.where(hashes[at] == wanted, codes[at], found)
        return [
            code if code >= 0 and self[code] == text else -1
            for code, text in zip(found.tolist(), texts, strict=True)
        ]

    def _add(self, text: str) -> int:
        segments, firsts, last = self._parts
        code = firsts[-1] + len(last)
        last.append(text)
        self._bytes_of_last += getsizeof(text)
        if len(last) == SEGMENT or self._bytes_of_last >= SEGMENT_BYTES:
            segment = _joined(last, firsts[-1])
            self._bytes_of_segments += segment.nbytes
            self._parts = _Parts((*segments, segment), (*firsts, code + 1), [])
            self._bytes_of_last = 0
        return code

    def _merge(self) -> None:
        added = np.arange(self._hashed, len(self), dtype=np.int32)
        hashes = np.fromiter((hash(self[code]) for code in added.tolist()), np.int64, len(added))
        runs, run = [*self._runs], _run(hashes, added)
        while runs and len(runs[-1].codes) < 2 * len(run.codes):
            *runs, last = runs
            run = _run(
                np.concatenate((last.hashes, run.hashes)), np.concatenate((last.codes, run.codes))
            )
        self._runs = (*runs, run) if len(run.codes) else self._runs
        self._hashed += len(added)
        self._recent = {}
        self._bytes_of_recent = 0

    def holding(self, literal: str) -> Iterator[int]:
        """The numbers of the texts that hold it in any case (A to Z), and maybe others."""
        lower = ascii_lower(literal)
        wanted = lower.encode()
        segments, firsts, last = self._parts
        for segment in segments:
            yield from segment.holding(wanted)
        yield from _holding(last, lower, firsts[-1])

    def with_word(self, word: str, *, starts: bool, ends: bool) -> tuple[Places, list[int]]:
        """The numbers of the texts in which it stands where a word starts, and where one ends,
        as far as that is asked; and of those that have to be looked at. In lower case, and
        without a line end."""
        wanted = word.encode()
        segments, firsts, last = self._parts
        found: list[Places] = []
        unsure: list[int] = []
        for segment in segments:
            lower = segment.buffer.lower()
            if wanted in lower:
                characters = np.frombuffer(lower, dtype=np.uint8)
                at = _occurrences(characters, wanted)
                is_word = np.zeros(len(at), dtype=np.uint8)
                if starts:
                    is_word = np.maximum(is_word, _IN_WORD[characters[at - 1]] * (at > 0))
                if ends:
                    is_word = np.maximum(is_word, _IN_WORD[characters[at + len(wanted)]])
                texts = np.searchsorted(np.frombuffer(segment.starts, np.uint32), at, side="right")
                texts += segment.first - 1
                found.append(texts[is_word == _NO])
                unsure += texts[is_word == _MAYBE].tolist()
        unsure += _holding(last, word, firsts[-1])
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64), unsure


def _joined(texts: Sequence[str], first: int) -> _Segment:
    buffer = bytearray()
    starts = array("I", bytes(4 * (len(texts) + 1)))
    for nth, text in enumerate(texts, 1):
        buffer += text.encode()
        buffer += b"\n"
        starts[nth] = len(buffer)
    return _Segment(first, bytes(buffer), starts)


def _holding(texts: Sequence[str], lower: str, first: int) -> Iterator[int]:
    for code, text in enumerate(texts[:], first):
        if lower in ascii_lower(text):
            yield code


_NO, _MAYBE, _YES = 0, 1, 2
_IN_WORD = np.array(
    [_YES if is_word_character(chr(byte)) else _NO for byte in range(128)] + [_MAYBE] * 128,
    dtype=np.uint8,
)
"""Whether a byte of UTF-8 is of a letter or digit; beyond ASCII it takes more than one to tell."""


def _occurrences(characters: NDArray[np.uint8], wanted: bytes) -> Places:
    """Where it begins; those that overlap, too."""
    ends = len(characters) - len(wanted) + 1
    at: Places = np.flatnonzero(characters[:ends] == wanted[0])
    for nth in range(1, len(wanted)):
        at = at[characters[at + nth] == wanted[nth]]
    return at
