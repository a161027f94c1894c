"""All findings of one moment, as columns. Nothing of it changes: the next moment is another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from findings.columnar.arrays import Codes, Mask, Places, Vector
from findings.columnar.dictionary import TagLists, TextColumn
from findings.columnar.profiles import PROFILE, Column, Profiles
from findings.columnar.remembered import Remembered
from findings.columnar.rows import MOMENTS, Rows
from findings.query.ast import Matcher


@dataclass(frozen=True)
class Held:
    """A column of codes and what they stand for."""

    codes: Vector[np.int32]
    dictionary: TextColumn

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes + self.dictionary.nbytes


@dataclass(frozen=True)
class Table:
    """Findings have places from 0, in no order that means something. What is gone keeps its
    place; `alive` tells, and so does every mask that is made here."""

    keys: Vector[np.int64]
    living: Vector[np.bool_]
    times: Mapping[str, Vector[np.int64]]
    profile_codes: Vector[np.int32]
    profiles: Profiles
    tag_codes: Vector[np.int32]
    tags: TagLists
    lazy: Mapping[str, Held]
    want: Callable[[str], None]
    """Called with the name of a lazy column that is asked for."""
    derived: Remembered[Any] = field(default_factory=Remembered, init=False, compare=False)
    """What somebody works out of all of it; the next moment begins without."""

    @classmethod
    def empty(cls, want: Callable[[str], None]) -> Table:
        def codes() -> Vector[np.int32]:
            return Vector(np.zeros(0, dtype=np.int32))

        return cls(
            keys=Vector(np.zeros(0, dtype=np.int64)),
            living=Vector(np.zeros(0, dtype=np.bool_)),
            times={name: Vector(np.zeros(0, dtype=np.int64)) for name in MOMENTS},
            profile_codes=codes(),
            profiles=Profiles(),
            tag_codes=codes(),
            tags=TagLists(),
            lazy={},
            want=want,
        )

    # --- What readers ask ---------------------------------------------------------------

    @property
    def pks(self) -> Places:
        return self.keys.values

    @property
    def alive(self) -> Mask:
        return self.living.values

    @property
    def size(self) -> int:
        """Places, those of findings that are gone included."""
        return len(self.keys.values)

    @cached_property
    def count(self) -> int:
        return int(np.count_nonzero(self.alive))

    def moments(self, name: str) -> NDArray[np.int64]:
        """Microseconds since 1970, or `NEVER`."""
        return self.times[name].values

    def coded(self, name: str) -> Column | None:
        """A column of `PROFILE`, or a lazy one; None: it is not held yet."""
        if name in PROFILE:
            return self.coded_profile(name)
        held = self.held(name)
        return Column(held.codes.values, held.dictionary.entries) if held else None

    def coded_profile(self, name: str) -> Column:
        """A column of `PROFILE`, of each finding."""
        column = self.profile_column(name)
        return Column(column.codes.take(self.profile_codes.values), column.entries)

    def held(self, name: str) -> Held | None:
        """A lazy column; None: it is not held yet, and will be."""
        self.want(name)
        return self.lazy.get(name)

    def part(self, places: Places) -> Table:
        """The findings at these places, in this order, and the dictionaries of all."""

        def of(vector: Vector[Any]) -> Vector[Any]:
            return Vector(vector.values[places])

        return replace(
            self,
            keys=of(self.keys),
            living=of(self.living),
            times={name: of(vector) for name, vector in self.times.items()},
            profile_codes=of(self.profile_codes),
            tag_codes=of(self.tag_codes),
            lazy={name: replace(held, codes=of(held.codes)) for name, held in self.lazy.items()},
        )

    # --- Profiles: what they are, for all findings that have them ---------------------------

    @cached_property
    def profile_rows(self) -> Codes:
        """Of each profile, the number of its value in each column."""
        return self.profiles.rows

    def profile_column(self, name: str) -> Column:
        """The value of each profile."""
        codes = self.profile_rows[:, PROFILE.index(name)]
        return Column(codes, self.profiles.columns[name].entries)

    def profiles_passing(self, name: str, matcher: Matcher) -> Mask:
        """Of each profile, whether its value passes."""
        codes = self.profile_column(name).codes
        passes: Mask = self.profiles.columns[name].passing(matcher)[codes]
        return passes

    def profiles_with(self, name: str, values: Iterable[str]) -> Mask:
        """Of each profile, whether its value is one of these; "" for none."""
        entries = self.profiles.columns[name].entries
        return np.isin(self.profile_column(name).codes, [entries.code(value) for value in values])

    def of_profiles(self, profiles: Mask) -> Mask:
        """The findings whose profiles these are."""
        found: Mask = profiles.take(self.profile_codes.values)  # twice as fast as by brackets
        return found

    def places_of(self, pks: Any) -> Places:
        """Where these findings are; -1 for one that was never here."""
        wanted = np.asarray(pks, dtype=np.int64)
        order, keys = self._order
        if not len(keys):
            return np.full(len(wanted), -1, dtype=np.int64)
        nth = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        places = nth if order is None else order[nth]
        return np.where(keys[nth] == wanted, places, -1)

    @cached_property
    def _order(self) -> tuple[Places | None, Places]:
        """The places in the order of their keys (None: as they are), and the keys in order."""
        keys = self.pks
        if not np.any(keys[1:] < keys[:-1]):
            return None, keys
        order = np.argsort(keys, kind="stable")
        return order, keys[order]

    @property
    def nbytes(self) -> int:
        """Of memory, what was worked out of it included."""
        order = self.__dict__.get("_order", ())
        arrays = self.keys.nbytes + sum(each.nbytes for each in self._moving)
        arrays += sum(each.nbytes for each in order if each is not None and each is not self.pks)
        lazy: int = sum(held.dictionary.nbytes for held in self.lazy.values())
        return int(arrays) + lazy + self.profiles.nbytes + self.tags.nbytes + self.derived.nbytes

    @property
    def room(self) -> int:
        """Bytes that it may take: the next moment is made beside it, of other arrays where
        anything has changed, and somebody may still read this one."""
        return self.nbytes + sum(each.nbytes for each in self._moving)

    @property
    def _moving(self) -> list[Vector[Any]]:
        lazy = [held.codes for held in self.lazy.values()]
        return [self.living, self.profile_codes, self.tag_codes, *self.times.values(), *lazy]

    def forget(self) -> None:
        """What was worked out and can be worked out again."""
        self.derived.forget()
        for dictionary in (self.profiles, self.tags):
            dictionary.forget()
        for held in self.lazy.values():
            held.dictionary.forget()

    # --- The next moment: by one thread at a time -----------------------------------------

    def with_rows(self, rows: Rows, names: tuple[str, ...] = ()) -> Table:
        """With these findings as they are now, whether they were here or not. `names` are those
        of the lazy columns in the rows."""
        places = self.places_of(rows.pks)
        known, new = places >= 0, places < 0
        at = places[known]

        def next_of(vector: Vector[Any], values: NDArray[Any]) -> Vector[Any]:
            changed = vector.replaced(at, values[known]) if len(at) else vector
            return changed.appended(values[new]) if new.any() else changed

        lazy = dict(self.lazy)
        for name, texts in zip(names, rows.lazy, strict=True):
            held = lazy[name]
            codes = held.dictionary.encode(texts)
            held.dictionary.prepare()
            lazy[name] = replace(held, codes=next_of(held.codes, codes))
        return replace(
            self,
            keys=self.keys.appended(rows.pks[new]),
            living=next_of(self.living, np.ones(len(places), dtype=np.bool_)),
            times={
                name: next_of(self.times[name], rows.moments[:, nth])
                for nth, name in enumerate(MOMENTS)
            },
            profile_codes=next_of(self.profile_codes, self.profiles.encode(rows.profiles)),
            tag_codes=next_of(self.tag_codes, self.tags.encode(rows.tags)),
            lazy=lazy,
        )

    def without(self, pks: Any) -> Table:
        places = self.places_of(pks)
        places = places[places >= 0]
        dead = np.zeros(len(places), dtype=np.bool_)
        return replace(self, living=self.living.replaced(places, dead)) if len(places) else self

    def with_column(self, name: str, held: Held) -> Table:
        """Findings that came since it was loaded lack its value, until they are read again."""
        lacking = np.full(self.size - len(held.codes.values), held.dictionary.missing, np.int32)
        held = replace(held, codes=held.codes.appended(lacking))
        return replace(self, lazy={**self.lazy, name: held})

    def without_column(self, name: str) -> Table:
        return replace(self, lazy={key: held for key, held in self.lazy.items() if key != name})
