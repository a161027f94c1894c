from __future__ import annotations

from django.urls import path

from config.accounts.views import keys

app_name = "accounts"

urlpatterns = [
    path("api-keys", keys.list_keys, name="key-list"),
    path("api-keys/new", keys.create_key, name="key-create"),
    path("api-keys/<uuid:key_id>/revoke", keys.revoke_key, name="key-revoke"),
]
