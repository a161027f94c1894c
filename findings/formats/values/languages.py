"""The programming language that a file's name tells."""

from __future__ import annotations

from pathlib import PurePosixPath

_LANGUAGES = {
    ".c": "c", ".cc": "cpp", ".cpp": "cpp", ".cs": "csharp", ".go": "go", ".java": "java",
    ".js": "javascript", ".jsx": "javascript", ".kt": "kotlin", ".php": "php", ".py": "python",
    ".rb": "ruby", ".rs": "rust", ".scala": "scala", ".swift": "swift", ".tf": "terraform",
    ".ts": "typescript", ".tsx": "typescript",
}  # fmt: skip


def language_of(file: str) -> str:
    """Empty for a file of no language we know."""
    return _LANGUAGES.get(PurePosixPath(file).suffix.lower(), "")
