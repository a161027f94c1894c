"""Package URLs (github.com/package-url/purl-spec) of packages that a report names without one."""

from __future__ import annotations

from urllib.parse import quote

from findings.formats.credentials import mask_credentials

_TYPES = {
    "npm": "npm", "yarn": "npm", "pnpm": "npm", "pypi": "pypi", "pip": "pypi", "poetry": "pypi",
    "go": "golang", "gomodules": "golang", "maven": "maven", "gradle": "maven", "sbt": "maven",
    "rubygems": "gem", "gem": "gem", "packagist": "composer", "composer": "composer",
    "nuget": "nuget", "crates.io": "cargo", "cargo": "cargo", "hex": "hex", "pub": "pub",
}  # fmt: skip


def purl(ecosystem: str, name: str, version: str = "") -> str:
    """Empty for an ecosystem whose type of package URL we do not know."""
    kind = _TYPES.get(ecosystem.lower(), "")
    if not kind or not name:
        return ""
    name, version = mask_credentials(name), mask_credentials(version)  # none is known once quoted
    path = name.replace(":", "/", 1) if kind == "maven" else name
    path = path.lower().replace("_", "-") if kind == "pypi" else path
    return f"pkg:{kind}/{quote(path, safe='/')}" + (f"@{quote(version)}" if version else "")
