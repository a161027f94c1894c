from __future__ import annotations

from django.urls import path

from ticketing.api.v2 import jira_integration as jira

urlpatterns = [
    path("accounts", jira.JiraAccountsView.as_view()),
    path("accounts/<str:account_id>", jira.JiraAccountView.as_view()),
    path("issue-templates", jira.IssueTemplatesView.as_view()),
    path("issue-templates/<str:issue_template_id>", jira.IssueTemplateView.as_view()),
]
