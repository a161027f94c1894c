"""A small tree in which each scanner finds something, and what becomes of it later."""

from __future__ import annotations

from collections.abc import Mapping

_KEY = "AKIA" + "Q3EGRJ7TXLP2ZVNB"  # in two parts: nobody's, and no scanner's of this repository
_PASSWORD = "correct-horse-" + "battery"

_JOBS = f'''import subprocess

PASSWORD = "{_PASSWORD}"


def run(command):
    subprocess.call(
        command,
        shell=True,
    )
'''
_USERS = """import yaml


def read(text):
    assert text
    return yaml.load(text), eval(text)
"""
_DOCKERFILE = """FROM debian:latest
RUN cd /tmp && ./build
ADD . /app
USER root
"""
_WORKFLOW = """name: build
on: pull_request_target
permissions: {}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - run: echo "${{ github.event.pull_request.title }}"
      - run: echo "${{ env.NUMBER }}"
        env:
          NUMBER: ${{ github.run_id }}
"""
_COPY = """#include <string.h>

void copy(char *to, char *from) {
  strcpy(to, from);
  strlen(from);
}
"""

TREE: Mapping[str, str] = {
    ".github/workflows/build.yml": _WORKFLOW,
    "Dockerfile": _DOCKERFILE,
    "app/jobs.py": _JOBS,
    "app/users.py": _USERS,
    "settings.ini": f"aws_access_key_id = {_KEY}\n",
    "src/copy.c": _COPY,
    "web/Dockerfile": _DOCKERFILE,
}
SECRETS = (_KEY, _PASSWORD)

# Every line of every file is further down; what is wrong is the same.
MOVED = {
    name: f"{'//' if name.endswith('.c') else '#'} moved\n\n{content}"
    for name, content in TREE.items()
}

# One file that its scanner cannot read, and one with a problem less.
BROKEN = {
    **TREE,
    "Dockerfile": "FROM debian:12\nRUNN make\n",
    "app/jobs.py": "def run(:\n",
    "app/users.py": _USERS.replace("    assert text\n", ""),
    "web/Dockerfile": _DOCKERFILE.replace("ADD", "COPY"),
}
