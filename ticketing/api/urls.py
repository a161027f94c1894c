from __future__ import annotations

from django.urls import path

from ticketing.api.webhooks import WebhookView

app_name = "ticketing-api"

urlpatterns = [
    path("jira/webhooks/<uuid:account_id>", WebhookView.as_view(), name="jira-webhook"),
]
