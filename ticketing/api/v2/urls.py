from __future__ import annotations

from django.urls import path

from ticketing.api.v2 import jira_integration as jira

urlpatterns = [
    path("integration/jira/accounts", jira.JiraAccountsView.as_view()),
    path("integration/jira/accounts/<uuid:account_id>", jira.JiraAccountView.as_view()),
    path("integration/jira/issue-templates", jira.IssueTemplatesView.as_view()),
    path(
        "integration/jira/issue-templates/<uuid:issue_template_id>",
        jira.IssueTemplateView.as_view(),
    ),
]
