"""The functions that speak to Jira, or write down a place there, each with the way that tries it.

They are found in the source: a new one is not on the list, and fails the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.tree import ROOT, python_files

OURS = "reads or writes issues that are ours already: those stay in step"
ADMIN = "for who manages integrations: it is about the account, not about a place"
SETTINGS = "the settings by which tickets that are there stay in step"
SHOWN = "a row that is never saved"
DOORS: dict[str, str] = {
    "automation.destinations.check._look": "switch_the_rule_on",
    "automation.destinations.early_warning.check_due": "have_a_rule_warned",
    "automation.destinations.early_warning.take": "have_a_rule_warned",
    "automation.forms.jira._look": "look_at_its_types",
    "automation.forms.jira.with_priority": SHOWN,
    "automation.rule_tests.execution._check_jira": "test_the_rule",
    "automation.views.editor_page._sync": SHOWN,
    "automation.views.editor_page.sync_form": SHOWN,
    "config.runtime.demo_data.rules._project_in": "the sandbox, of the demo data",
    "config.site.styleguide_fixtures.sample_issues": SHOWN,
    "ticketing.account_probe.probe": ADMIN,
    "ticketing.attaching._ask": "attach_by_address",
    "ticketing.catalogue.cache.fetch": "look_at_its_types",
    "ticketing.catalogue.options.people": "look_at_its_people",
    "ticketing.catalogue.options.teams": "teams are the site's, whatever the space",
    "ticketing.comparing.settings_of": SHOWN,
    "ticketing.connections._catalogue": "for the functions of its module, each of them listed here",
    "ticketing.connections._client": "for the functions of its module, each of them listed here",
    "ticketing.connections.date_fields": SETTINGS,
    "ticketing.connections.delete_account": ADMIN,
    "ticketing.connections.place_at": "create_by_api_for_a_case",
    "ticketing.connections.register_webhook": ADMIN,
    "ticketing.connections.remove_webhook": ADMIN,
    "ticketing.connections.workflow": SETTINGS,
    "ticketing.delivery._line": "deliver_what_was_promised",
    "ticketing.delivery._settings": SHOWN,
    "ticketing.destinations.link": "link_a_project_by_api",
    "ticketing.destinations.project_for": "create_on_the_page",
    "ticketing.inventory._find": SHOWN,
    "ticketing.inventory.differences": OURS,
    "ticketing.issue_templates.create_template": "keep_a_template",
    "ticketing.outbox.promises.adopt": "link_a_case",
    "ticketing.outbox.promises.promise": "create_by_hand",
    "ticketing.outbox.promises.promise_at": "create_by_api_for_a_case",
    "ticketing.outbox.promises.recreate": "create_again",
    "ticketing.place_check.checker_for": "for its callers, each of them listed here",
    "ticketing.required.required_fields": "create_by_hand",
    "ticketing.sync.run": OURS,
}
"""Function → the way that tries it, or why there is nothing to try."""
_CONNECTIONS = ("tracker_for", "client_for", "catalogue_for", "_client", "_catalogue")
_SPEAKS = (*_CONNECTIONS, "checker_for", "fetch", "fetch_options")
_ROWS = ("ExternalIssue", "Destination", "JiraIssueTemplate")
_WRITES = ("create", "bulk_create", "get_or_create", "update_or_create")


def doors() -> Iterator[str]:
    """Functions that open a connection to Jira, or make a row that names a place there."""
    rows = {*_ROWS, *(f"{row}.objects.{write}" for row in _ROWS for write in _WRITES)}
    for file in python_files():
        path = file.relative_to(ROOT).with_suffix("")
        if "trackers" in path.parts:
            continue
        module = ".".join(path.parts).removesuffix(".__init__")
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and (ast.unparse(call.func) in {*rows, *_SPEAKS})
                for call in ast.walk(function)
            ):
                yield f"{module}.{function.name}"
