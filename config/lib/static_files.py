"""Static files under names that change with their content, our ES modules' imports included."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class ModuleManifestStorage(ManifestStaticFilesStorage):
    """Django rewrites imports in every script or in none; here in ours, which lie under js/.

    Other people's scripts hold examples of imports that lead nowhere (htmx 4 does).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _, imports = self._js_module_import_aggregation_patterns  # type: ignore[attr-defined]
        self.patterns = (*self.patterns, ("js/*.js", imports))
        super().__init__(*args, **kwargs)
