"""The outbox: the life of every external issue, and the only code that changes its state.

`promises` and `by_hand` are for those who ask; `claims` and `settling` for `delivery`.
"""

from ticketing.outbox.breaking import block_waiting
from ticketing.outbox.by_hand import (
    confirm_absent,
    deliver_waiting,
    retry_all,
    retry_now,
    waiting_count,
)
from ticketing.outbox.left_out import left_out_of
from ticketing.outbox.promises import (
    IssueTaken,
    Promise,
    adopt,
    cancel,
    detach_issue,
    promise,
    promise_at,
    recreate,
    ring,
)

__all__ = [
    "IssueTaken",
    "Promise",
    "adopt",
    "block_waiting",
    "cancel",
    "confirm_absent",
    "deliver_waiting",
    "detach_issue",
    "left_out_of",
    "promise",
    "promise_at",
    "recreate",
    "retry_all",
    "retry_now",
    "ring",
    "waiting_count",
]
