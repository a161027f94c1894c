"""The distinct values of a column, each with a number. What a term says of them is worked out
once for each of them, by the predicate, and remembered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from findings.columnar.arrays import Codes, Growing, Mask, Places
from findings.columnar.remembered import Remembered
from findings.columnar.texts import SEGMENT, Texts
from findings.query.ast import AnyPiece, Exact, Exists, Matcher, Range, Wildcard, Words
from findings.query.predicate import as_bound, tag_values, test
from findings.query.scalars import Value, ascii_lower, is_word_character, number, scalar

_IN_NUMBERS = frozenset("-.0123456789")


class TextColumn:
    """Of texts, as they are stored. One thread adds, any number of them ask."""

    def __init__(self, nothing: Sequence[str] = ("",)) -> None:
        self.entries = Texts()
        self._nothing = nothing  # what is no value
        self._answers: Remembered[Mask] = Remembered()
        self.derived: Remembered[Any] = Remembered()
        """What else somebody works out of the entries."""
        self._numbers: NDArray[np.float64] = np.zeros(0)
        self.missing = int(self.encode([nothing[0]])[0])

    @property
    def nbytes(self) -> int:
        remembered = self._answers.nbytes + self.derived.nbytes
        return self.entries.nbytes + self._numbers.nbytes + remembered

    def forget(self) -> None:
        """What can be worked out again."""
        self._answers.forget()
        self.derived.forget()

    def encode(self, texts: Sequence[str]) -> Codes:
        return self.entries.encode(texts)

    def prepare(self) -> None:
        """Work out beforehand what somebody would wait for. By the thread that adds."""

    def values(self, code: int) -> tuple[Value, ...]:
        text = self.entries[code]
        return () if text in self._nothing else (text,)

    def passing(self, matcher: Matcher) -> Mask:
        """Of each entry, whether one of its values passes."""
        known = _known(self._answers.get(matcher))
        count = len(self.entries)
        if len(known) >= count:
            return known
        passes = np.zeros(count, dtype=np.bool_)
        passes[: len(known)] = known
        self._look(matcher, passes, len(known))
        return self._answers.keep(matcher, passes)

    def _look(self, matcher: Matcher, passes: Mask, start: int) -> None:
        """Fill in what passes, from `start` on."""
        if isinstance(matcher, Range) and len(passes) - start > SEGMENT:
            self._compare(matcher, passes, start)
            return
        does = test(matcher)
        values = self._lowered if isinstance(matcher, Words) else self.values
        candidates: Iterable[int]
        if isinstance(matcher, Words) and (plain := _plain(matcher)) and self._is_long(start):
            candidates = self._with_word(plain, passes, start)
        else:
            candidates = self._candidates(matcher, start, len(passes))
        for code in candidates:
            if any(map(does, values(code))):
                passes[code] = True

    def _is_long(self, start: int) -> bool:
        return len(self.entries) - start > SEGMENT

    def _with_word(self, plain: _Plain, passes: Mask, start: int) -> list[int]:
        """Fill in those that surely hold it; the others that may."""
        found, unsure = self.entries.with_word(plain.word, starts=plain.starts, ends=plain.ends)
        passes[found[(found >= start) & (found < len(passes))]] = True
        return [code for code in unsure if start <= code < len(passes)]

    def _lowered(self, code: int) -> tuple[Value, ...]:
        text = self.entries[code]
        return (ascii_lower(text),) if text else ()

    def _candidates(self, matcher: Matcher, start: int, count: int) -> Iterable[int]:
        """Those that may pass; of few texts all."""
        if isinstance(matcher, Exact):
            return [code] if start <= (code := self.entries.code(matcher.value)) < count else []
        literal = literal_of(matcher)
        if not literal or count - start <= SEGMENT:
            return range(start, count)
        return self._holding(literal, start, count)

    def _holding(self, literal: str, start: int, count: int) -> set[int]:
        return {code for code in self.entries.holding(literal) if start <= code < count}

    def _compare(self, matcher: Range, passes: Mask, start: int) -> None:
        """By floats; where those are equal, or an entry has several numbers, by the predicate."""
        numbers = self._as_floats(len(passes))[start:]
        found = ~np.isnan(numbers)
        unsure = np.isinf(numbers)
        for bound, is_beyond in ((matcher.low, np.greater), (matcher.high, np.less)):
            if isinstance(bound, Decimal):
                found &= is_beyond(numbers, float(bound))
                unsure |= numbers == float(bound)
        passes[start:] = found & ~unsure
        does = test(matcher)
        for code in (np.flatnonzero(unsure) + start).tolist():
            passes[code] = any(map(does, self.values(code)))

    def _as_floats(self, count: int) -> NDArray[np.float64]:
        """The number that each entry is; nan for none, infinite where it takes a closer look."""
        known = self._numbers
        if len(known) < count:
            added = np.full(count - len(known), np.nan)
            for nth in range(len(added)):
                bounds = map(as_bound, self.values(nth + len(known)))
                seen = [bound for bound in bounds if isinstance(bound, Decimal)]
                if seen:
                    added[nth] = float(seen[0]) if len(seen) == 1 else np.inf
            known = self._numbers = np.concatenate((known, added))
        return known[:count]


class PathColumn(TextColumn):
    """Of a path in a document: what is there, as a JSON array."""

    def __init__(self) -> None:
        super().__init__(("[]",))

    def prepare(self) -> None:
        if len(self.entries) > SEGMENT:
            self._as_floats(len(self.entries))
            self.passing(Exists())

    def values(self, code: int) -> tuple[Value, ...]:
        text = self.entries[code]
        if text == "[]":
            return ()
        found = (scalar(item) for item in json.loads(text))
        return tuple(value for value in found if value is not None)

    def _candidates(self, matcher: Matcher, start: int, count: int) -> Iterable[int]:
        literal = matcher.value if isinstance(matcher, Exact) else literal_of(matcher)
        if not literal or count - start <= SEGMENT:
            return range(start, count)
        found = self._holding(json.dumps(literal, ensure_ascii=False)[1:-1], start, count)
        if _IN_NUMBERS.issuperset(literal):  # which may be written otherwise
            numbers = self._as_floats(count)
            is_exact = isinstance(matcher, Exact)
            value = number(literal) if is_exact else None
            if value is not None:
                found.update(np.flatnonzero(numbers == float(value)).tolist())
                found.update(np.flatnonzero(np.isinf(numbers)).tolist())
            elif not is_exact:
                found.update(np.flatnonzero(~np.isnan(numbers)).tolist())
        return {code for code in found if code >= start}


def literal_of(matcher: Matcher) -> str:
    """What each text that passes surely holds, in any case; "" for nothing."""
    if not isinstance(matcher, Wildcard | Words):
        return ""
    return max((piece for piece in matcher.pieces if isinstance(piece, str)), key=len, default="")


class _Plain(NamedTuple):
    word: str
    starts: bool  # where a word starts
    ends: bool


def _plain(matcher: Words) -> _Plain | None:
    """One literal, before and after which there may be more of its word; None for others."""
    pieces = matcher.pieces
    words = [piece for piece in pieces if isinstance(piece, str)]
    if len(words) != 1 or AnyPiece.CHAR in pieces or "\n" in words[0]:
        return None
    [word] = words
    return _Plain(
        word,
        isinstance(pieces[0], str) and is_word_character(word[0]),
        isinstance(pieces[-1], str) and is_word_character(word[-1]),
    )


class TagLists:
    """Of the tags of a finding, as a JSON array; and each tag by itself."""

    def __init__(self) -> None:
        self.entries = Texts()
        self.tags = Texts()
        """The distinct tags."""
        self._keys = Texts()
        self._key_of_tag = Growing(1)
        self._pairs = Growing(2)
        self._complete = 0  # entries whose pairs are there
        self._answers: Remembered[Mask] = Remembered()
        self.derived: Remembered[Any] = Remembered()
        """What else somebody works out of the entries."""

    @property
    def nbytes(self) -> int:
        texts = self.entries.nbytes + self.tags.nbytes + self._keys.nbytes
        numbers = self._key_of_tag.nbytes + self._pairs.nbytes
        return texts + numbers + self._answers.nbytes + self.derived.nbytes

    def forget(self) -> None:
        """What can be worked out again."""
        self._answers.forget()
        self.derived.forget()

    def encode(self, texts: Sequence[str]) -> Codes:
        codes = self.entries.encode(texts)
        start, end = self._complete, len(self.entries)
        lists = [json.loads(self.entries[code]) for code in range(start, end)]
        if lists:
            tags = self._encode_tags([tag for each in lists for tag in each])
            owners = np.repeat(np.arange(start, end), [len(each) for each in lists])
            self._pairs.append(np.column_stack((owners, tags)))
            self._complete = end
        return codes

    def _encode_tags(self, tags: Sequence[str]) -> Codes:
        codes = self.tags.encode(tags)
        new = range(len(self._key_of_tag.rows), len(self.tags))
        keys = [self.tags[code].partition(":")[0] for code in new]
        self._key_of_tag.append(self._keys.encode(keys))
        return codes

    @property
    def pairs(self) -> Codes:
        """(entry, tag) of each tag of each entry, in the order of the entries."""
        return self._pairs.rows

    def of_key(self, key: str) -> Places:
        """The numbers of the tags that have a value of the key, ascending."""
        if ":" not in key:
            code = self._keys.code(key)
            return np.flatnonzero(self._key_of_tag.rows[:, 0] == code) if code >= 0 else _NONE
        candidates = {self.tags.code(key), *self.tags.holding(f"{key}:")} - {-1}
        found = (code for code in candidates if tag_values((self.tags[code],), key))
        return np.array(sorted(found), dtype=np.int64)

    def passing(self, key: str, matcher: Matcher) -> Mask:
        """Of each entry, whether a value of this key passes."""
        question = (key, matcher)
        known = _known(self._answers.get(question))
        count = self._complete
        if len(known) >= count:
            return known
        pairs = self.pairs
        pairs = pairs[: np.searchsorted(pairs[:, 0], count)]
        good = np.zeros(len(self.tags), dtype=np.bool_)
        good[self._good_tags(key, matcher, len(good))] = True
        passes = np.zeros(count, dtype=np.bool_)
        passes[pairs[good[pairs[:, 1]], 0]] = True
        return self._answers.keep(question, passes)

    def _good_tags(self, key: str, matcher: Matcher, count: int) -> Sequence[int] | Places:
        if isinstance(matcher, Exact):
            written = [f"{key}:{matcher.value}", *([] if matcher.value else [key])]
            return [code for tag in written if 0 <= (code := self.tags.code(tag)) < count]
        of_key = self.of_key(key)
        of_key = of_key[of_key < count]
        if isinstance(matcher, Exists):
            return of_key
        if len(of_key) > SEGMENT and (literal := literal_of(matcher)):
            holding = np.fromiter(self.tags.holding(literal), np.int64)
            of_key = of_key[np.isin(of_key, holding)]
        does = test(matcher)
        return [
            code for code in of_key.tolist() if any(map(does, tag_values((self.tags[code],), key)))
        ]


_NONE = np.zeros(0, dtype=np.int64)


def _known(answer: Mask | None) -> Mask:
    return np.zeros(0, dtype=np.bool_) if answer is None else answer
