from __future__ import annotations

from django.urls import path

from ticketing.views import (
    account_setup,
    bulk,
    case_bulk,
    case_findings,
    case_list,
    case_views,
    cases,
    comments,
    deliveries,
    integrations,
    issues,
    progress,
    project_sync,
    projects,
    tickets,
)

app_name = "ticketing"

urlpatterns = [
    path("cases", case_list.list_cases, name="case-list"),
    path("cases/counts", case_list.count_views, name="case-counts"),
    path("cases/new", cases.create_case, name="case-create"),
    path("cases/bulk", case_bulk.change_cases, name="case-bulk"),
    path("cases/views/new", case_views.create_view, name="view-create"),
    path("cases/views/<int:view_id>", case_views.edit_view, name="view-edit"),
    path("cases/views/<int:view_id>/delete", case_views.delete_view, name="view-delete"),
    path("cases/projects", projects.list_projects, name="project-list"),
    path("cases/projects/<str:key>", projects.edit_project, name="project-edit"),
    path("cases/projects/<str:key>/sync", project_sync.sync_project, name="project-sync"),
    path("cases/projects/<str:key>/unlink", project_sync.unlink_project, name="project-unlink"),
    path("cases/<str:key>", cases.show_case, name="case-show"),
    path("cases/<str:key>/change", cases.change_case, name="case-change"),
    path("cases/<str:key>/column", case_list.move_card, name="case-column"),
    path("cases/<str:key>/edit", cases.edit_case, name="case-edit"),
    path("cases/<str:key>/due", cases.set_due_date, name="case-due"),
    path("cases/<str:key>/comment", comments.comment_case, name="case-comment"),
    path(
        "cases/<str:key>/comments/<int:entry_id>/edit", comments.edit_comment, name="comment-edit"
    ),
    path(
        "cases/<str:key>/comments/<int:entry_id>/delete",
        comments.delete_comment,
        name="comment-delete",
    ),
    path(
        "cases/<str:key>/comments/<int:entry_id>/revisions",
        comments.show_revisions,
        name="comment-revisions",
    ),
    path("cases/<str:key>/attach", case_findings.attach_findings, name="case-attach"),
    path("cases/<str:key>/detach", case_findings.detach_findings, name="case-detach"),
    path("cases/<str:key>/split", case_findings.split_findings, name="case-split"),
    path("cases/<str:key>/move", cases.move_case, name="case-move"),
    path("cases/<str:key>/issue", issues.change_issue, name="case-issue"),
    path("cases/<str:key>/link", issues.link_issue, name="case-link"),
    path("cases/<str:key>/archive", cases.archive_case, name="case-archive"),
    path("cases/<str:key>/unarchive", cases.unarchive_case, name="case-unarchive"),
    path("tickets/new", tickets.create_tickets, name="ticket-create"),
    path("tickets/progress", progress.show_progress, name="ticket-progress"),
    path("tickets/retry", progress.retry_tickets, name="ticket-retry"),
    path("tickets/attach", tickets.attach_findings, name="ticket-attach"),
    path("tickets/<str:finding_id>/popover", tickets.show_popover, name="ticket-popover"),
    path("tickets/<str:finding_id>/detach", tickets.detach_finding, name="ticket-detach"),
    path("bulk", bulk.list_runs, name="bulk-list"),
    path("bulk/new/ticket", bulk.ask_for_one_ticket, name="bulk-one"),
    path("bulk/new/<str:deed>", bulk.start_run, name="bulk-create"),
    path("bulk/<uuid:run_id>", bulk.show_run, name="bulk-show"),
    path("bulk/<uuid:run_id>/strip", bulk.show_strip, name="bulk-strip"),
    path("bulk/<uuid:run_id>/toast", bulk.show_toast, name="bulk-toast"),
    path("bulk/<uuid:run_id>/<str:deed>", bulk.change_run, name="bulk-change"),
    path("settings/integrations", integrations.list_accounts, name="integration-list"),
    path("settings/integrations/deliveries", deliveries.list_deliveries, name="delivery-list"),
    path(
        "settings/integrations/deliveries/<uuid:issue_id>/<str:deed>",
        deliveries.change_delivery,
        name="delivery-change",
    ),
    path("settings/integrations/jira/new", account_setup.create_account, name="account-create"),
    path(
        "settings/integrations/jira/sandbox", integrations.connect_sandbox, name="account-sandbox"
    ),
    path(
        "settings/integrations/jira/<uuid:account_id>/setup",
        account_setup.set_up,
        name="account-setup",
    ),
    path(
        "settings/integrations/jira/<uuid:account_id>/webhook",
        account_setup.change_webhook,
        name="account-webhook",
    ),
    path(
        "settings/integrations/jira/<uuid:account_id>/spaces",
        account_setup.choose_spaces,
        name="account-spaces",
    ),
    path(
        "settings/integrations/jira/<uuid:account_id>/test",
        integrations.test_account,
        name="account-test",
    ),
    path(
        "settings/integrations/jira/<uuid:account_id>/probe",
        integrations.probe_account,
        name="account-probe",
    ),
    path(
        "settings/integrations/jira/<uuid:account_id>/delete",
        integrations.delete_account,
        name="account-delete",
    ),
]
