"""The life of an external issue. Pure.

```
PENDING ─a→ SENDING ─b→ CREATED         a  claimed: attempt and lease committed before the call
   ↑           ├─c→ PENDING(not_before) b  the issue's key stored
   │           ├─d→ BLOCKED             c  surely not done: wait, then again
   │           ├─e→ UNSURE ─f→ CREATED  d  a person or a repaired destination is needed
   │           │        └─g→ PENDING    e  perhaps done: time-out, reset, lost worker
   └──h── BLOCKED                       f  found by its key   g  surely not there
PENDING|BLOCKED|UNSURE ─i→ CANCELLED    h  a person's "try again", a repaired rule   i  a person
```
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    UNSURE = "unsure"
    CREATED = "created"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"


MOVES: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset({State.SENDING, State.BLOCKED, State.CANCELLED}),
    State.SENDING: frozenset({State.CREATED, State.PENDING, State.BLOCKED, State.UNSURE}),
    State.UNSURE: frozenset({State.CREATED, State.PENDING, State.BLOCKED, State.CANCELLED}),
    State.BLOCKED: frozenset({State.PENDING, State.UNSURE, State.CANCELLED}),
    State.CREATED: frozenset(),
    State.CANCELLED: frozenset(),
}
WAITING = (State.PENDING, State.SENDING, State.UNSURE)
"""States in which the promise is still on its way without anybody's help."""
