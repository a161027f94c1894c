"""Keeps a table as fresh as its questions: built in the background, and followed by the feed.

Few changes are applied by whoever asks, so that an answer holds what was written before it. Of
many, a thread takes care; until it is done the table of a moment ago answers, or nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from threading import Condition, Event, Lock, Thread

import structlog
from django.db import connection

from findings.columnar import checking, feed
from findings.columnar.loading import TooLarge, load, load_columns
from findings.columnar.rows import Pace, lazy_column, rows_of
from findings.columnar.table import Held, Table
from findings.models import Finding

MIN_ROWS = 20_000
"""Of fewer findings no table is made: SQL answers as fast."""
AT_ONCE = 2_000  # changed findings that one who asks applies, in about 40 ms
FRESH_FOR = 1.0  # seconds: how old a table may be while many changes are being applied
LOOK_AGAIN = 60.0  # seconds until findings are counted once more
CHECK_EVERY = 300.0  # seconds between two comparisons with the database
CHECK_AGAIN = 30.0  # when findings changed during one
LINGER = 30.0  # seconds that the thread goes on following after the last question
POLL = 0.25
_log = structlog.stdlib.get_logger(__name__)


def are_many() -> bool:
    """Whether there are so many findings that a table is worthwhile. One statement."""
    return Finding.objects.order_by().values("pk")[MIN_ROWS - 1 : MIN_ROWS].exists()


def _in_background(run: Callable[[], None]) -> None:
    Thread(target=run, name="columns", daemon=True).start()


class Keeper:
    """One for a process. `start` runs a function in the background; `clock` counts seconds.

    `early` are lazy columns that are loaded right after the others, before anybody asks: those of
    each part in one pass, and what was asked for by then before the next.
    """

    def __init__(
        self,
        most: int,
        *,
        early: Sequence[Sequence[str]] = (),
        start: Callable[[Callable[[], None]], None] = _in_background,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = most  # bytes
        self._start, self._clock = start, clock
        self._early = early
        self._early_due: list[Sequence[str]] = []  # are to be loaded
        self._lock = Lock()  # held for as long as few changes take
        self._table: Table | None = None
        self._position: feed.Position | None = None
        self._is_following = False  # the thread applies changes, and nobody else does
        self._is_running = False
        self._fresh_at = self._asked_at = self._checked_at = clock()
        self._counted_at = clock() - LOOK_AGAIN
        self._used: dict[str, float] = {}  # lazy column → when it was asked for
        self._refused: set[str] = set()  # columns that do not fit; "" for all
        self._changed: set[int] | None = None  # findings, since a column is being loaded
        self._wake = Event()
        self._news = Condition()  # a table, a column, one that does not fit, the thread's end

    # --- Who asks --------------------------------------------------------------------------

    def current(self) -> Table | None:
        """The table as of now, or of a second ago while very many findings change; None: SQL
        has to answer. One statement, and another if anything has changed."""
        # What is not committed is nobody else's business, and may never be.
        if "" in self._refused or self.most <= 0 or connection.in_atomic_block:
            return None
        self._asked_at = self._clock()
        if self._table is None:
            if self._is_worthwhile():
                self._work()
            return None
        return self._followed()

    def wait_for(self, names: Collection[str], seconds: float) -> bool:
        """Until these columns are held, for so long; False: there is nothing to wait for."""
        if self._table is None and not self._is_running:
            return False
        for name in names:
            self._want(name)
        if not self.is_loading(names):
            return False
        with self._news:
            self._news.wait_for(lambda: not self.is_loading(names), seconds)
        return True

    def is_loading(self, names: Collection[str]) -> bool:
        """Whether one of these columns, or the table, is on its way."""
        held = self._table.lazy if self._table else {}
        missing = [name for name in names if name not in held]
        return self._is_running and bool(missing) and self._refused.isdisjoint((*missing, ""))

    @property
    def is_getting_ready(self) -> bool:
        """Whether the table, or a column of it, is being loaded: soon fewer questions are left
        to SQL."""
        return self._is_running and bool(self._table is None or self._early_due or self._wanted())

    def _notify(self) -> None:
        with self._news:
            self._news.notify_all()

    def _is_worthwhile(self) -> bool:
        if self._is_running or self._clock() - self._counted_at < LOOK_AGAIN:
            return False
        self._counted_at = self._clock()
        return are_many()

    def _followed(self) -> Table | None:
        with self._lock:
            if not self._is_following and self._table is not None and self._position is not None:
                now = self._clock()
                changes = feed.changes(self._position)
                if not changes.is_lost and len(changes.pks) <= AT_ONCE:
                    self._table = self._applied(self._table, changes.pks)
                    self._position, self._fresh_at = changes.position, now
                    return self._table
                if changes.is_lost:
                    self._forget()
        self._work()
        return self._table if self._clock() - self._fresh_at < FRESH_FOR else None

    def _want(self, name: str) -> None:
        self._used[name] = self._clock()
        if name not in self._refused and self._table and name not in self._table.lazy:
            self._work()

    def _forget(self) -> None:
        _log.warning("The log of changes does not reach back: all findings are read again")
        self._table = self._position = None

    # --- Changes ---------------------------------------------------------------------------

    def _applied(self, table: Table, pks: frozenset[int]) -> Table:
        """Two statements at most for each batch. Nobody sees the table until it is returned."""
        rest, pace, names = sorted(pks), Pace(), tuple(table.lazy)
        while rest:
            batch, rest = rest[: pace.limit], rest[pace.limit :]
            rows = rows_of(batch, [lazy_column(name) for name in names])
            pace.saw(rows.profiles, rows.tags, *rows.lazy)
            table = table.with_rows(rows, names)
            table = table.without(sorted(set(batch).difference(rows.pks.tolist())))
        if self._changed is not None:
            self._changed |= pks
        return table

    # --- The thread ------------------------------------------------------------------------

    def _work(self) -> None:
        """Have a thread run, if none does."""
        self._wake.set()
        with self._lock:
            if self._is_running:
                return
            self._is_running = True
        self._start(self._run)

    def _run(self) -> None:
        try:
            while self._clock() - self._asked_at < LINGER and "" not in self._refused:
                self.follow()
                self._wake.clear()
                self._wake.wait(POLL)
        except Exception:  # noqa: BLE001  whatever it is, the next question begins again
            _log.exception("Columns could not be brought up to date: the next question tries again")
        finally:
            self._is_running = self._is_following = False
            self._changed = None
            self._notify()
            if not connection.in_atomic_block:
                connection.close()

    def follow(self) -> None:
        """Everything that is to do: build, apply, load what is wanted, check."""
        if self._table is None and not self._build():
            return
        self._catch_up()
        self._load(self._wanted())
        self._load_early()
        self._make_room()
        if self._clock() - self._checked_at >= CHECK_EVERY:
            self._check()

    def _build(self) -> bool:
        position = feed.position()
        try:
            table = load(self._want, most=self.most)
        except TooLarge as error:
            _log.warning(
                "Columns do not fit into EXPLORER_MEMORY_MB, SQL answers", reason=str(error)
            )
            self._refused.add("")
            return False
        with self._lock:
            self._table, self._position = table, position
            self._checked_at = self._clock()
        self._early_due = [*self._early]
        return True

    def _catch_up(self) -> None:
        """Apply all changes there are. Meanwhile the table of before is everybody's."""
        with self._lock:
            table, position = self._table, self._position
            if table is None or position is None:
                return
            self._is_following = True
        try:
            while True:
                now = self._clock()
                changes = feed.changes(position)
                if changes.is_lost:
                    with self._lock:
                        self._forget()
                    return
                table, position = self._applied(table, changes.pks), changes.position
                with self._lock:
                    self._table, self._position, self._fresh_at = table, position, now
                if len(changes.pks) <= AT_ONCE:
                    return
        finally:
            self._is_following = False

    def _wanted(self) -> list[str]:
        held = self._table.lazy if self._table else {}
        return [name for name in list(self._used) if name not in held and name not in self._refused]

    def _load(self, names: Sequence[str]) -> None:
        """Lazy columns; together, or where that does not do, as many as fit."""
        try:
            self._read(names, fits=self._fits)
        except (TooLarge, KeyError) as error:
            if len(names) > 1:
                for name in names:
                    self._load([name])
                return
            _log.warning(
                "A column does not fit, SQL answers for it", column=names[0], reason=str(error)
            )
            self._refused.update(names)
            self._notify()

    def _load_early(self) -> None:
        """What somebody will soon ask for, if there is room: it takes nobody's place."""
        while self._table is not None and self._early_due:
            known = self._refused.union(self._table.lazy)
            names = [name for name in self._early_due[0] if name not in known]
            try:
                self._read(names, fits=self._has_room)
            except TooLarge as error:
                _log.info(
                    "There is no room for columns that nobody has asked for", reason=str(error)
                )
            self._early_due = self._early_due[1:]
            self._load(self._wanted())

    def _read(self, names: Sequence[str], *, fits: Callable[[int], bool]) -> None:
        """Columns, while others go on applying changes to the table."""
        with self._lock:
            table, self._changed = self._table, set()
        try:
            if table is None or not names:
                return
            base = replace(table, lazy={})  # the others may be given up meanwhile
            del table
            for held in load_columns(base, names, fits=fits):
                if held is None:
                    self._catch_up()
                else:
                    self._add(held)
        finally:
            self._changed = None

    def _fits(self, size: int) -> bool:
        """Whether so many bytes of columns that are being loaded do; others make room for them."""
        if self._table is None:
            return True
        if replace(self._table, lazy={}).room + size > self.most:
            return False
        self._make_room(beside=size)
        return True

    def _has_room(self, size: int) -> bool:
        return self._table is None or self._table.room + size <= self.most

    def _add(self, held: Mapping[str, Held]) -> None:
        """Columns, and once more the findings that changed while they were being loaded."""
        with self._lock:
            table, changed, self._changed = self._table, self._changed or set(), None
            self._is_following = True
        try:
            if table is None:
                return
            for name, column in held.items():
                table = table.with_column(name, column)
            table = self._applied(table, frozenset(changed))
            with self._lock:
                self._table = table
            self._make_room(held)
        finally:
            self._is_following = False
            self._notify()

    def _make_room(self, newest: Collection[str] = (), *, beside: int = 0) -> None:
        """Give up what was worked out, then columns that nobody has asked for the longest; of the
        newest, if that is not enough, the largest, for good."""
        if not self._has_room(beside) and self._table is not None:
            self._table.forget()
        while self._table is not None and not self._has_room(beside):
            lazy = self._table.lazy
            if held := [name for name in lazy if name not in newest]:
                name = min(held, key=lambda name: self._used.get(name, 0.0))
            elif lazy:
                name = max(lazy, key=lambda name: lazy[name].dictionary.nbytes)
                _log.warning("A column does not fit, SQL answers for it", column=name)
                self._refused.add(name)
            else:  # what was once there takes room, too
                with self._lock:
                    self._table = self._position = None
                return
            self._used.pop(name, None)
            with self._lock:
                self._table = self._table.without_column(name)

    def _check(self) -> None:
        """Compare with the database, at a moment at which nothing changed meanwhile."""
        with self._lock:
            table, position = self._table, self._position
        if table is None or position is None:
            return
        is_same = checking.sums_of(table) == checking.sums_of_database()
        meanwhile = feed.changes(position)
        is_sure = not meanwhile.pks and not meanwhile.is_lost
        self._checked_at = self._clock() - (0 if is_sure else CHECK_EVERY - CHECK_AGAIN)
        if is_sure and not is_same:
            _log.warning("Columns were not what the database holds: all findings are read again")
            with self._lock:
                self._table = self._position = None
