"""Texts that hold nothing to mask, remembered: most of what findings say was said before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from sys import getsizeof

MAX_BYTES = 4_000_000  # some 30,000 tags and titles


class CleanTexts:
    """What a mask leaves as it is: tags, names of fields, paths and descriptions repeat much.

    Of a text that holds a credential nothing is kept. Full, it forgets all and starts over, as
    `engine.memo` does. Threads may share it: what one adds is true for all.
    """

    def __init__(self, may_change: Callable[[str], bool], *, max_bytes: int = MAX_BYTES) -> None:
        """`may_change` is asked of texts with line breaks between them; False is sure."""
        self._may_change = may_change
        self._known: set[str] = set()
        self._max_bytes = self._room = max_bytes

    def hold_all(self, texts: Sequence[str]) -> bool:
        """Whether each is known, or surely nothing that the mask would change."""
        known = self._known
        if known.issuperset(texts):
            return True
        unknown = [text for text in texts if text not in known]
        if self._may_change("\n".join(unknown)):
            return False
        self._add(unknown)
        return True

    def masked(self, text: str, mask: Callable[[str], str]) -> str:
        """The text as the mask makes it; one that it leaves as it is becomes known."""
        if text in self._known:
            return text
        masked = mask(text)
        if masked == text:
            self._add((text,))
        return masked

    def knows(self, texts: Iterable[str]) -> bool:
        """Whether each is known. Raises TypeError for what no text could be."""
        return self._known.issuperset(texts)

    def add(self, texts: Sequence[str]) -> None:
        """These are known from now on."""
        self._add([text for text in texts if text not in self._known])

    def _add(self, texts: Sequence[str]) -> None:
        self._room -= sum(map(getsizeof, texts))
        if self._room < 0:
            self._known.clear()
            self._room = self._max_bytes
        self._known.update(texts)
