"""What people ask the Security Inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.http import QueryDict
from django.utils.http import urlencode

from findings.explorer.due import Due
from findings.explorer.inbox import Panels, Triage, in_inbox, panels_of
from findings.explorer.pages import Sort
from findings.explorer.search import Search
from findings.facts import Severity
from findings.forms import ExplorerQuery
from findings.query.ast import And, Node
from findings.query.canonical import write

_VALUES: Mapping[str, Sequence[str]] = {
    "due": tuple(Due),
    "severity": tuple(Severity),
    "triage": tuple(Triage),
}
_PARAMETERS = {"due": "due", "severity": "severity", "triage": "status"}


class InboxQuery:
    """The address of the Inbox, read with tolerance: what it does not know, it drops."""

    def __init__(self, params: QueryDict) -> None:
        explorer = params.copy()
        for name in set(params) - {"q", "page", "sort"}:
            del explorer[name]
        explorer.setdefault("sort", Sort.DUE)
        self.params = ExplorerQuery(explorer)
        self.chosen: dict[str, Sequence[str]] = {
            panel: values
            for panel, name in _PARAMETERS.items()
            if (values := [v for v in _VALUES[panel] if v in params.getlist(name)])
        }
        self._root: Node = And(())

    @property
    def is_filtered(self) -> bool:
        return bool(self.params.text or self.chosen)

    def search(self, now: datetime) -> Search | None:
        """None when the text is no query; then `params.error` says why."""
        found = self.params.search(now)
        if found is None:
            return None
        self._root = found.root
        return Search(self._inbox, chosen=self._facets)

    @property
    def _facets(self) -> dict[str, Sequence[str]]:
        """What the explorer has as a facet, too; the rest is in the query."""
        return {name: values for name, values in self.chosen.items() if name != "triage"}

    @property
    def _inbox(self) -> Node:
        return in_inbox(self._root, [Triage(v) for v in self.chosen.get("triage", ())])

    def panels(self) -> Panels:
        """Of what `search` has read. One statement."""
        return panels_of(self._root, self.chosen)

    @property
    def state(self) -> str:
        """The same findings as an address of the explorer."""
        state = [("q", write(self._inbox)), ("sort", self.params.sort.value)]
        return urlencode([*state, *((n, v) for n, values in self._facets.items() for v in values)])
