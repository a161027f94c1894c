"""Files that are nobody else's: the database, uploads, secrets, and the folder they are in.

Standard library alone, as the entry points import it before the settings make the first file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

PRIVATE_UMASK = 0o077
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def create_files_private() -> None:
    """From now on this process and its children make files (0600) and folders (0700) so."""
    os.umask(PRIVATE_UMASK)


def is_open_to_others(path: Path) -> bool:
    """Whether its group or everybody has any permission on it; not if it is not there."""
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def close_to_others(folder: Path, *, but: Path) -> None:
    """Take what others may do with the folder and everything in it, except below `but`.

    What belongs to another user is left to them: the check at start-up names it.
    """
    for path in _tree(folder, but):
        try:
            details = path.lstat()
            is_ours = details.st_uid == os.geteuid() and not stat.S_ISLNK(details.st_mode)
            if is_ours and details.st_mode & _OTHERS:
                path.chmod(stat.S_IMODE(details.st_mode) & ~_OTHERS)
        except FileNotFoundError:
            continue  # a worker of the last start has put it away meanwhile


def _tree(folder: Path, but: Path) -> Iterator[Path]:
    yield folder
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = [name for name in folders if here / name != but]
        yield from (here / name for name in (*folders, *files))
