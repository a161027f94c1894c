from __future__ import annotations

from ticketing.trackers.jira.sandbox import SandboxJira


def test_everything_is_there_after_a_restart(tmp_path):
    file = tmp_path / "jira.json"
    with SandboxJira(data=file) as before:
        before.create_issue("SEC", "Leak", labels=["fa-1"], description="h1. Why")
        before.comment("SEC-1", "Look")
        before.set_status("SEC-1", "Done")
        before.webhooks.register("http://127.0.0.1:9/", secret="s")
        before.create_issue("SEC", "Move me")
        before.move("SEC-2", "PLAT")

    with SandboxJira(data=file) as after:
        assert after.issue("SEC-1") == before.issue("SEC-1")
        assert after.issue("SEC-2").key == "PLAT-1"
        assert after.site.hooks == before.site.hooks
        assert after.create_issue("SEC", "Next").key == "SEC-3"
    assert [path.name for path in tmp_path.iterdir()] == ["jira.json"]
