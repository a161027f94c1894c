from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from automation.views.jump import show_goals
from automation.views.overview import show_overview
from config import pages
from config.accounts.views.login import LoginView, admin_login
from config.accounts.views.session import ask_session

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="overview", query_string=True), name="home"),
    path("overview", show_overview, name="overview"),
    path("jump", show_goals, name="jump"),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("session", ask_session, name="session"),
    path("counts", pages.count_open, name="counts"),
    path("theme", pages.switch_theme, name="theme"),
    path("styleguide", pages.styleguide, name="styleguide"),
    path("favicon.ico", pages.favicon),
    path("settings/", include("config.accounts.urls")),
    path("", include("config.runtime.urls")),
    path("admin/login/", admin_login),
    path("admin/logout/", LogoutView.as_view()),
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
