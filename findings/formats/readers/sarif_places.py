"""Where a SARIF run says that files are: bases, artifacts, the directory it ran in."""

from __future__ import annotations

import posixpath
import re
from typing import Any
from urllib.parse import unquote

from findings.formats.values.fields import clip, text, whole
from findings.formats.values.paths import below, file_of, is_absolute, path_of, scanned_root

# Trivy's word for what it scanned. Other bases are where the sources happened to lie.
_SCANNED = "ROOTPATH"
_DEPTH = 10  # bases inside of bases; more would be a circle
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class Places:
    """Of one run, gathered before its results are read."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._bases: dict[str, str] = {}
        self._roots: list[tuple[str, str]] = []  # absolute bases, the longest first
        self._former_roots: list[str] = []
        self._artifacts: dict[str | int, Any] = {}
        self._working_directories: list[str] = []

    def set_bases(self, described: Any) -> None:
        bases = described if isinstance(described, dict) else {}
        self._parents = {name: text(base, "uriBaseId") for name, base in bases.items()}
        self._bases = {name: path_of(text(base, "uri")) for name, base in bases.items()}
        roots = ((name, path) for name, path in self._bases.items() if is_absolute(path))
        self._roots = sorted(roots, key=lambda root: len(root[1]), reverse=True)
        former = (_former_address(text(base, "uri")) for base in bases.values())
        former = (root for root in former if root.startswith("/"))
        self._former_roots = sorted(former, key=len, reverse=True)

    def add_artifact(self, index: str | int, location: Any) -> None:
        self._artifacts[index] = location

    def add_working_directory(self, location: Any) -> None:
        directory = path_of(text(location, "uri")).rstrip("/")
        if is_absolute(directory):  # not the root itself
            self._working_directories.append(f"{directory}/")

    def file_at(self, artifact: Any) -> str:
        """The file of an `artifactLocation`, relative where it can be told to what, with what was
        scanned."""
        path, base = path_of(text(artifact, "uri")), text(artifact, "uriBaseId")
        if not path:
            named = self._artifact(artifact)
            path, base = path_of(text(named, "uri")), text(named, "uriBaseId") or base
        if _SCHEME.match(path):
            return path
        if not is_absolute(path):
            path = below(self._address(base), path)
            path = posixpath.normpath(path) if "/../" in path else path
        if not is_absolute(path):
            return file_of(path).rstrip("/")
        file = self._below_root(path.rstrip("/"))
        return self._relative(path) if file is None else file

    def former_file_at(self, artifact: Any) -> str:
        """Of recipe 1, which read no base of a relative address."""
        address = _former_address(text(artifact, "uri"))
        address = address or _former_address(text(self._artifact(artifact), "uri"))
        root = next((root for root in self._former_roots if address.startswith(root)), "")
        return address.removeprefix(root).removeprefix("./") or address

    @property
    def scanned(self) -> str:
        """The one directory or file that the run was about, or ""."""
        names = {self._lasting(name, self._address(name)) for name in self._bases} - {""}
        return names.pop() if len(names) == 1 else ""

    def _artifact(self, artifact: Any) -> Any:
        index = whole(artifact, "index")
        return self._artifacts.get(-1 if index is None else index)

    def _address(self, name: str) -> str:
        """Of a base, with the bases that it is relative to."""
        address = ""
        for _ in range(_DEPTH):
            own = self._bases.get(name, "").rstrip("/")
            address = "/".join(filter(None, (own, address)))
            name = self._parents.get(name, "")
            if not name or is_absolute(address):
                break
        return address

    def _lasting(self, name: str, address: str) -> str:
        """The name of a base that lasts, or ""."""
        root = scanned_root(address)
        return root if name == _SCANNED or not is_absolute(root) else ""

    def _below_root(self, path: str) -> str | None:
        """With the lasting name of the base that an absolute path begins with; None for none."""
        for name, address in self._roots:
            root = address.rstrip("/")
            if path == root or path.startswith(f"{root}/"):
                inner = path.removeprefix(root).lstrip("/")
                is_nowhere = is_absolute(scanned_root(root))  # then its own name is all there is
                last = root.rpartition("/")[2] if is_nowhere else ""
                return below(self._lasting(name, root), inner) or last
        return None

    def _relative(self, path: str) -> str:
        file = file_of(path)
        if is_absolute(file):
            above = (each for each in self._working_directories if file.startswith(each))
            file = file.removeprefix(max(above, key=len, default="")) or file
        return file.rstrip("/")


def _former_address(uri: str) -> str:
    return clip(unquote(uri.removeprefix("file://")), 1_000).replace("\0", "")
