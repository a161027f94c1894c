from __future__ import annotations

from django.urls import path

from ticketing.api.v2.finding_cases import FindingCasesView, FindingCaseView
from ticketing.api.v2.finding_issues import FindingIssuesView

urlpatterns = [
    path("security/findings/cases", FindingCasesView.as_view()),
    path("security/findings/cases/<str:case_id>", FindingCaseView.as_view()),
    path("security/findings/jira_issues", FindingIssuesView.as_view()),
]
