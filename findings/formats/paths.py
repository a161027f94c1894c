"""Paths of files in reports, without the place where a build machine had checked them out.

Scanners that write absolute paths would otherwise report everything anew from another machine.
"""

from __future__ import annotations

import re

from findings.formats.values import clip

_CHECKOUTS = re.compile(
    "|".join(
        (
            r"/home/runner/work/[^/]+/[^/]+/",  # GitHub; in a container the next two
            r"/__w/[^/]+/[^/]+/",  # and Azure
            r"/github/workspace/",
            r"/builds/[^/]+/[^/]+/",  # GitLab
            r"/home/vsts/work/\d+/s/",  # Azure
            r"/(?:var/lib/jenkins|home/jenkins|var/jenkins_home)/workspace/[^/]+/",
            r"/opt/atlassian/pipelines/agent/build/",  # Bitbucket
            r"/home/circleci/project/",
        )
    )
)


def file_of(path: str) -> str:
    """With slashes, relative where it can be told to what."""
    file = " ".join(path.split()).replace("\\", "/").removeprefix("./")
    return clip(_CHECKOUTS.sub("", file, count=1) if _CHECKOUTS.match(file) else file, 1_000)
