# SPDX-License-Identifier: MIT
"""Wagtail, with a page, its admin's login and images; over SQLite."""
from django_settings import ADMIN, configure

configure(
    __name__,
    ["wagtail.contrib.forms", "wagtail.contrib.redirects", "wagtail.embeds", "wagtail.sites",
     "wagtail.users", "wagtail.snippets", "wagtail.documents", "wagtail.images", "wagtail.search",
     "wagtail.admin", "wagtail", "modelcluster", "taggit", "django.contrib.auth",
     "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
     "django.contrib.staticfiles"],
    ["django.contrib.sessions.middleware.SessionMiddleware",
     "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
     "django.contrib.auth.middleware.AuthenticationMiddleware",
     "django.contrib.messages.middleware.MessageMiddleware",
     "wagtail.contrib.redirects.middleware.RedirectMiddleware"], ADMIN,
    WAGTAIL_SITE_NAME="compatibility", WAGTAILADMIN_BASE_URL="http://127.0.0.1")

# pylint: disable=wrong-import-position
from django.contrib.auth import get_user_model                       # noqa: E402
from django.core.management import call_command                      # noqa: E402
from django.core.wsgi import get_wsgi_application                    # noqa: E402
from django.http import HttpResponse                                 # noqa: E402
from django.urls import include, path                                # noqa: E402
from wagtail.admin import urls as admin_urls                         # noqa: E402
from wagtail.documents import urls as documents_urls                 # noqa: E402
from wagtail.models import Page                                      # noqa: E402


def tree(_request):
    return HttpResponse(", ".join(Page.objects.values_list("title", flat=True)))


urlpatterns = [path("admin/", include(admin_urls)), path("documents/", include(documents_urls)),
               path("", tree)]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_superuser("admin", "admin@example.com", "admin")
