from __future__ import annotations

import pytest

from findings.formats.values.paths import file_of, path_of

CHECKOUTS = [
    "/home/runner/work/shop/shop/",  # GitHub
    "/Users/runner/work/shop/shop/",
    "D:\\a\\shop\\shop\\",
    "/D:/a/shop/shop/",
    "C:/actions-runner/_work/shop/shop/",
    "/home/vsts/work/1/s/",  # Azure
    "D:\\a\\1\\s\\",
    "/azp/agent/_work/4/s/",
    "C:\\agents\\one\\_work\\4\\s\\",
    "/builds/acme/shop/",  # GitLab
    "/builds/y1Zh8kxQ/0/acme/shop/",
    "/home/gitlab-runner/builds/y1Zh8kxQ/0/acme/shop/",
    "C:\\GitLab-Runner\\builds\\y1Zh8kxQ\\0\\acme\\shop\\",
    "/var/lib/jenkins/workspace/shop_main/",
    "/home/jenkins/agent/workspace/shop/",
    "C:\\ProgramData\\Jenkins\\.jenkins\\workspace\\shop\\",
    "/var/lib/buildkite-agent/builds/agent-1/acme/shop/",
    "/codebuild/output/src123456/src/github.com/acme/shop/",
    "./",
]
OTHERS = [
    "/etc/passwd",
    "C:/a/other/app/a.py",
    "builds/acme/shop/a.py",
    "work/1/s/a.py",
    "/app/a.py",
]


@pytest.mark.parametrize("checkout", CHECKOUTS)
def test_it_takes_off_the_place_of_a_checkout(checkout):
    assert file_of(f"{checkout}app{checkout[-1]}a.py") == "app/a.py"


@pytest.mark.parametrize("path", OTHERS)
def test_it_leaves_any_other_path(path):
    assert file_of(path) == path


@pytest.mark.parametrize("uri", ["file:///C:/code/a%20b.c", "/C:/code/a b.c", "C:/code/a b.c"])
def test_it_names_a_disk_as_windows_does(uri):
    assert path_of(uri) == "C:/code/a b.c"
