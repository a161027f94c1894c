"""Paths of files in reports, without the place where a build machine had checked them out.

Scanners that write absolute paths would otherwise report everything anew from another machine.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from findings.formats.values.fields import clip

_ROOT = r"(?:/?[a-z]:)?/"  # of a disk of Windows, too, also as a URI has it: /D:/a/b
_CHECKOUTS = re.compile(
    "|".join(
        (
            r"/(?:home|Users)/runner/work/[^/]+/[^/]+/",  # GitHub; in a container the next two
            r"/__w/[^/]+/[^/]+/",  # and Azure
            r"/github/workspace/",
            r"/?[a-z]:/a/(?P<repo>[^/]+)/(?P=repo)/",  # GitHub on Windows
            r"/?[a-z]:/a/\d+/s/",  # Azure on Windows
            rf"{_ROOT}(?:[^/]+/){{0,6}}_work/[^/]+/[^/]+/",  # agents of one's own for both
            rf"{_ROOT}(?:[^/]+/){{0,4}}builds/[\w-]{{8,}}/\d+/[^/]+/[^/]+/",  # GitLab, in a shell
            r"/builds/[^/]+/[^/]+/",  # GitLab
            r"/home/vsts/work/\d+/s/",  # Azure
            rf"{_ROOT}(?:[^/]+/){{0,4}}\.?jenkins(?:_home)?(?:/agent)?/workspace/[^/]+/",
            r"/opt/atlassian/pipelines/agent/build/",  # Bitbucket
            r"/home/circleci/project/",
            rf"{_ROOT}(?:[^/]+/){{0,4}}buildkite[^/]*/builds/[^/]+/[^/]+/[^/]+/",
            r"/codebuild/output/src\d+/src/(?:(?:github|gitlab)\.com/[^/]+/[^/]+/)?",
            r"/home/travis/build/[^/]+/[^/]+/",
            r"/drone/src/",
        )
    ),
    re.IGNORECASE,
)
_DISK = re.compile(r"/[A-Za-z]:/")  # of Windows, in a URI
_FILE_URI = re.compile(r"^file:(?://localhost(?=/)|//)?")


def path_of(uri: str) -> str:
    """The path that a file's URI names, or a reference relative to one."""
    path = clip(unquote(_FILE_URI.sub("", uri)), 1_000).replace("\0", "")
    return path[1:] if _DISK.match(path) else path


def is_absolute(path: str) -> bool:
    return path.startswith("/") or path[1:3] == ":/"


def file_of(path: str) -> str:
    """With slashes, relative where it can be told to what."""
    file = " ".join(path.split()).replace("\\", "/").removeprefix("./")
    return clip(_CHECKOUTS.sub("", file, count=1) if _CHECKOUTS.match(file) else file, 1_000)


_FORMER_CHECKOUTS = re.compile(
    r"/home/runner/work/[^/]+/[^/]+/|/__w/[^/]+/[^/]+/|/github/workspace/|/builds/[^/]+/[^/]+/"
    r"|/home/vsts/work/\d+/s/"
    r"|/(?:var/lib/jenkins|home/jenkins|var/jenkins_home)/workspace/[^/]+/"
    r"|/opt/atlassian/pipelines/agent/build/|/home/circleci/project/"
)


def former_file_of(path: str) -> str:
    """By recipe 1, which knew fewer checkouts."""
    file = " ".join(path.split()).replace("\\", "/").removeprefix("./")
    return clip(
        _FORMER_CHECKOUTS.sub("", file, count=1) if _FORMER_CHECKOUTS.match(file) else file, 1_000
    )


def scanned_root(path: str) -> str:
    """The file or directory that was scanned, by the name that it keeps from scan to scan.

    "" for the working directory, the root of a checkout, and a directory made for one run.
    """
    root = _OF_ONE_RUN.sub("", file_of(f"{path}/")).rstrip("/")
    return "" if root == "." else root


_OF_ONE_RUN = re.compile(
    r"^(?:/private)?(?:/(?:var/)?tmp/tmp[.\w]{6,}/|/var/folders/[^/]+/[^/]+/T/(?:tmp[.\w]{6,}/)?)"
)


def below(root: str, file: str) -> str:
    """The file with the root it was scanned below, once; a root may be the file itself."""
    inner = file.removeprefix("./").lstrip("/")
    if not root:
        return file
    if inner in ("", ".") or f"/{root}".endswith(f"/{inner}"):
        return root
    return file if file.startswith(f"{root}/") else clip(f"{root}/{inner}", 1_000)
