from __future__ import annotations

from django.urls import path

from config.lib.datadog_api.views import no_such_operation
from ticketing.api.v2 import case_changes as changes
from ticketing.api.v2 import case_kinds as kinds
from ticketing.api.v2.case_comments import CommentsView, CommentView, TimelineView
from ticketing.api.v2.case_counts import AggregateView, CountView
from ticketing.api.v2.case_projects import ProjectsView, ProjectView
from ticketing.api.v2.case_relationships import CaseIssueView, CaseProjectView
from ticketing.api.v2.cases import CasesView, CaseView
from ticketing.api.v2.finding_cases import FindingCasesView, FindingCaseView
from ticketing.api.v2.finding_issues import FindingIssuesView

_CASE = "cases/<str:case_id>"
_TYPE_ATTRIBUTES = "cases/types/<str:case_type_id>/custom_attributes"

urlpatterns = [
    path("security/findings/cases", FindingCasesView.as_view()),
    path("security/findings/cases/<str:case_id>", FindingCaseView.as_view()),
    path("security/findings/jira_issues", FindingIssuesView.as_view()),
    path("cases", CasesView.as_view()),
    path("cases/count", CountView.as_view()),
    path("cases/aggregate", AggregateView.as_view()),
    path("cases/link", no_such_operation),
    path("cases/projects/favorites", no_such_operation),
    path("cases/projects", ProjectsView.as_view()),
    path("cases/projects/<str:project_id>", ProjectView.as_view()),
    path("cases/types", kinds.TypesView.as_view()),
    path("cases/types/custom_attributes", kinds.CustomAttributesView.as_view()),
    path(_TYPE_ATTRIBUTES, kinds.TypeAttributesView.as_view()),
    path("cases/views", kinds.ViewsView.as_view()),
    path("cases/views/<str:view_id>", kinds.ViewView.as_view()),
    path(_CASE, CaseView.as_view()),
    path(f"{_CASE}/status", changes.StatusView.as_view()),
    path(f"{_CASE}/priority", changes.PriorityView.as_view()),
    path(f"{_CASE}/assign", changes.AssignView.as_view()),
    path(f"{_CASE}/unassign", changes.UnassignView.as_view()),
    path(f"{_CASE}/title", changes.TitleView.as_view()),
    path(f"{_CASE}/description", changes.DescriptionView.as_view()),
    path(f"{_CASE}/due_date", changes.DueDateView.as_view()),
    path(f"{_CASE}/attributes", changes.AttributesView.as_view()),
    path(f"{_CASE}/resolved_reason", changes.ResolvedReasonView.as_view()),
    path(f"{_CASE}/archive", changes.ArchiveView.as_view()),
    path(f"{_CASE}/unarchive", changes.UnarchiveView.as_view()),
    path(f"{_CASE}/comment", CommentsView.as_view()),
    path(f"{_CASE}/comment/<str:cell_id>", CommentView.as_view()),
    path(f"{_CASE}/timelines", TimelineView.as_view()),
    path(f"{_CASE}/relationships/jira_issues", CaseIssueView.as_view()),
    path(f"{_CASE}/relationships/project", CaseProjectView.as_view()),
]
