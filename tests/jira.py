"""The sandbox Jira for tests: `sandbox_jira` (Cloud) and `sandbox_data_center`, real HTTP each.

    def test_it_creates_an_issue(sandbox_jira):
        client = JiraClient(sandbox_jira.credentials)      # or .url, .access.email, .access.token
        sandbox_jira.faults.reset("POST /issue$", stage="after")      # stored, then a TCP reset
        ...
        assert len(sandbox_jira.issues_with_label("fa-abc")) == 1
        assert len(sandbox_jira.log.matching("POST /issue$")) == 1      # .json .status .at .headers

Faults, by "METHOD regex" (* is any method), each with times=1 (None: for ever), skip=0,
probability=1.0; `faults.seed(n)` makes them repeatable, `faults.clear()` ends them:
    .answer(match, status, body, headers=…, stage="before"|"after")     body: JSON, text, HTML, None
    .reset(match, stage=…)  .hang(match, stage=…, seconds=…)  .truncate(match)
    .slow(match, seconds)  .throttle(match, retry_after="1")  .sign_in_page(match)  .captcha(match)
Credentials and rights: .revoke_token() .expire_token() .restore_token(),
    .deny("CREATE_ISSUES", "SEC") .grant(…)
Metadata: .require_field("SEC", "customfield_10020") .drop_field .relax_field .put_field
    .drop_option .drop_issue_type("SEC", "Task") .archive("SEC") .delete_project("SEC"); ids are in
    ticketing/trackers/jira/sandbox/defaults.py (SELECT, CASCADING, DANA, …)
Index: .site.lag = 30 (seconds of the process's clock, which `frozen` moves), .index_now(),
    .hide_from_search(key, until)
Limits: .limit.change(5) requests a second, .limit.is_dated = True, .limit.refused
Held requests: rule = .slow(match) or .hang(match); rule.reached.wait(5), rule.release();
    .slow(match, stage="before") stores only when released: after the caller gave up
Webhooks: .webhooks.register(url, secret="s"), .webhooks.wait_until_idle(),
    .webhooks.mischief.double = 0.3 (.drop .late .seconds); or .webhooks.hold() and post what is
    in .webhooks.held (.body .headers) yourself, in any order
Other people: .create_issue("SEC", "…") .edit(key, summary="…") .assign(key, DANA)
    .set_status(key, "Done") .comment(key, "…") .move(key, "PLAT") .delete(key)
Traps: .site.is_translated = True (messages nobody can read), .hide(key) (a security level),
    .demand_resolution("SEC", "Done", …) (a screen on the step to done), .access.is_scoped = True
    .demand_on_closing("SEC", *CLOSING_FIELDS, on_screen=True) (a text, labels, any field)
    .keep_resolution("SEC", shown_on="edit") .set_resolution(key, "Won't Do") .site.clock = …
Look: .issue(key) .issues("SEC") .issues_by_label("fa-") .status_of(key) .resolution_of(key)
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ticketing.trackers.jira.sandbox import SandboxJira


@pytest.fixture
def sandbox_jira() -> Iterator[SandboxJira]:
    with SandboxJira() as jira:
        yield jira


@pytest.fixture
def sandbox_data_center() -> Iterator[SandboxJira]:
    with SandboxJira(deployment="data_center") as jira:
        yield jira
