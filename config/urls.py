from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from config.accounts.views import password, team
from config.accounts.views.login import LoginView, admin_login
from config.accounts.views.session import session_end
from config.accounts.views.undo import show_left, undo_act

urlpatterns = [
    path("", include("config.site.urls")),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("account/password", password.change, name="password-change"),
    path("account/team", team.choose, name="team-choose"),
    path("session", session_end, name="session"),
    path("undo/<uuid:act_id>", undo_act, name="undo"),
    path("undo/<uuid:act_id>/left", show_left, name="undo-left"),
    path("settings/", include("config.accounts.urls")),
    path("", include("config.runtime.urls")),
    path("admin/login/", admin_login),
    path("admin/logout/", LogoutView.as_view()),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password-change")),
    path("admin/", admin.site.urls),
    path("api/", include("config.api")),
    path("", include("findings.urls")),
    path("", include("ticketing.urls")),
    path("", include("automation.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"
