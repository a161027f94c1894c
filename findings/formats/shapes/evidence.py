"""The description of a finding: Markdown with a few headed sections."""

from __future__ import annotations

from collections.abc import Iterable

from findings.formats.normalised import MAX_DESCRIPTION
from findings.formats.values.fields import clip
from findings.formats.values.masking import mask_assigned

_SECTION = 8_000  # leaves room for all of them within MAX_DESCRIPTION
_CODE = 2_000
_LINKS = 10


class Evidence:
    def __init__(self, opening: str) -> None:
        self._parts = [clip(opening.strip(), _SECTION)]

    def section(self, heading: str, body: str) -> None:
        """Nothing is added for an empty body."""
        if body.strip():
            self._parts.append(f"### {heading}\n\n{clip(body.strip(), _SECTION)}")

    def code(self, heading: str, code: str) -> None:
        """Credentials in it are masked, and before it is cut: half of one has no known shape."""
        shown = clip(mask_assigned(code.rstrip()[: 2 * _CODE]), _CODE)
        # Four backticks: code that itself holds a fence of three does not end ours.
        body = shown.replace("````", "'''")
        self._parts.append(f"### {heading}\n\n````\n{body}\n````")

    def links(self, urls: Iterable[str]) -> None:
        found = dict.fromkeys(url for url in urls if url.startswith(("https://", "http://")))
        lines = [f"- <{url}>" for url in list(found)[:_LINKS] if not set(url) & set("<> \n\r\t")]
        self.section("References", "\n".join(lines))

    @property
    def markdown(self) -> str:
        return clip("\n\n".join(filter(None, self._parts)), MAX_DESCRIPTION)
