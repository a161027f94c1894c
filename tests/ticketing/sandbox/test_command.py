from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import requests
from django.core.management import CommandError, call_command

from tests.machines import ROOT


def test_it_runs_until_it_is_stopped(tmp_path):
    command = [sys.executable, "manage.py", "sandbox_jira", "--port", "0", "--lag", "2"]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path / "jira.json"), "--webhook", "http://127.0.0.1:9/hook"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        lines = iter(process.stdout.readline, "")
        url = next(line.split()[-1] for line in lines if "runs at" in line)
        page = requests.get(url, timeout=5)
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert process.returncode == 0
    assert "Not a real Jira" in page.text
    assert "bot@example.com" in rest
    assert "sandbox-token" in rest
    assert "http://127.0.0.1:9/hook" in rest


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_it_listens_on_this_computer_alone(host):
    with pytest.raises(CommandError, match="not a loopback address"):
        call_command("sandbox_jira", host=host, port=0)


def test_it_is_not_loaded_with_the_product():
    """Nor is its server: whoever runs the product has no Jira of ours in memory."""
    program = (
        "import sys, django; django.setup(); import config.wsgi, config.urls, ticketing.tasks\n"
        "print([name for name in sys.modules if 'sandbox' in name])"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    shown = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.stdout.strip() == "[]", shown.stderr
