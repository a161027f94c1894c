"""What alerts of GitHub's API say of the place that they are about."""

from __future__ import annotations

import re
from typing import Any

from findings.formats.values.fields import clip, repository_name, text

_ALERT = re.compile(r"/security/(?:dependabot|code-scanning)/\d+/?$")


def repository_of(alert: Any) -> str:
    """`github.com/acme/shop`: lists of an organisation name it, those of a repository only by the
    alert's own address."""
    if url := text(alert, "repository", "html_url"):
        return repository_name(url)
    if name := text(alert, "repository", "full_name"):
        return clip(f"github.com/{name}", 300)
    address, found = _ALERT.subn("", text(alert, "html_url"))
    return repository_name(address) if found else ""
