"""Static files under names that change with their content, our ES modules' imports included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """Django rewrites imports in every script or in none; here in ours, which lie under js/.

    Other people's scripts hold examples of imports that lead nowhere (htmx 4 does).
    """

    patterns: tuple[Any, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _, imports = self._js_module_import_aggregation_patterns
        self.patterns = (*self.patterns, ("js/*.js", imports))
        super().__init__(*args, **kwargs)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Those that pages link to: half of the work at every start."""
        linked = set(self.hashed_files.values())
        yield from super().compress_files([path for path in paths if path in linked])
