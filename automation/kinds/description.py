"""What a person writes about a rule's action, whatever its kind. Pure."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_DESCRIPTION = 20_000
Description = Annotated[str, msgspec.Meta(max_length=MAX_DESCRIPTION)]
