"""Infrastructure as code: the platform that a file or a check is of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

_PLATFORMS = ("terraform", "kubernetes", "cloudformation", "dockerfile", "docker-compose")
_COMPOSE = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")


def platform_of(check: str, file: str, about: Iterable[str] = ()) -> str:
    """By the name of the file, the steps of the check's id, or words about it; "" for none."""
    name = PurePosixPath(file).name.lower()
    if name.endswith((".tf", ".tf.json")):
        return "terraform"
    if name.startswith("dockerfile") or name.endswith(".dockerfile"):
        return "dockerfile"
    words = {*check.lower().split("."), *about}
    return next((word for word in _PLATFORMS if word in words), "")


def is_compose_file(file: str) -> bool:
    return bool(_COMPOSE.fullmatch(PurePosixPath(file).name.lower()))
