"""What an inbox rule says. Pure."""

from __future__ import annotations

import msgspec

from automation.kinds.description import Description


class AddToInbox(msgspec.Struct, frozen=True, kw_only=True):
    description: Description | None = None
