from __future__ import annotations

import msgspec


class AskReview(msgspec.Struct, frozen=True, kw_only=True):
    by: str
    description: str | None = None
