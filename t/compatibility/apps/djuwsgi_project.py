# SPDX-License-Identifier: MIT
"""django-uwsgi: its status page, which shows all that the module uwsgi says, and its log view."""
from django_settings import ADMIN, configure

configure(
    __name__,
    ["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
     "django.contrib.sessions", "django.contrib.messages", "django_uwsgi"],
    ["django.contrib.sessions.middleware.SessionMiddleware",
     "django.contrib.auth.middleware.AuthenticationMiddleware",
     "django.contrib.messages.middleware.MessageMiddleware", f"{__name__}.signed_in"], ADMIN)

# pylint: disable=wrong-import-position
from django.contrib import admin                                     # noqa: E402
from django.contrib.auth.models import User                          # noqa: E402
from django.core.management import call_command                      # noqa: E402
from django.core.wsgi import get_wsgi_application                    # noqa: E402
from django.http import HttpResponse                                 # noqa: E402
from django.urls import include, path                                # noqa: E402


def signed_in(get_response):
    """Everyone is the administrator."""
    def through(request):
        request.user = User.objects.get(username="admin")
        request._dont_enforce_csrf_checks = True
        return get_response(request)
    return through


urlpatterns = [path("admin/uwsgi/", include("django_uwsgi.urls")), path("admin/", admin.site.urls),
               path("", lambda _request: HttpResponse("hello"))]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("admin", "admin@example.com", "admin")
