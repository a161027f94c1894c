from __future__ import annotations

import pytest

from findings.signals import findings_changed, findings_recorded


@pytest.fixture
def rings(django_capture_on_commit_callbacks):
    """`rings(action)` is the list of the signals that the action sent on commit."""

    def listen(action) -> list[str]:
        names: list[str] = []
        receivers = {
            findings_recorded: lambda **_: names.append("recorded"),
            findings_changed: lambda **_: names.append("changed"),
        }
        for signal, receiver in receivers.items():
            signal.connect(receiver)
        with django_capture_on_commit_callbacks(execute=True):
            action()
        for signal, receiver in receivers.items():
            signal.disconnect(receiver)
        return names

    return listen
