# SPDX-License-Identifier: MIT
"""Django with its admin, sessions, CSRF, uploads, streams, an async view and SQLite."""
from django_settings import ADMIN, configure

configure(
    __name__,
    ["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
     "django.contrib.sessions", "django.contrib.messages"],
    ["django.middleware.security.SecurityMiddleware",
     "django.contrib.sessions.middleware.SessionMiddleware",
     "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
     "django.contrib.auth.middleware.AuthenticationMiddleware",
     "django.contrib.messages.middleware.MessageMiddleware"], ADMIN)

# pylint: disable=wrong-import-position
from django.contrib import admin                                     # noqa: E402
from django.contrib.auth.models import User                          # noqa: E402
from django.core.management import call_command                      # noqa: E402
from django.core.wsgi import get_wsgi_application                    # noqa: E402
from django.http import HttpResponse, StreamingHttpResponse          # noqa: E402
from django.urls import path                                         # noqa: E402
from django.views.decorators.csrf import csrf_exempt                 # noqa: E402


def hello(_request):
    return HttpResponse("hello")


def stream(_request):
    return StreamingHttpResponse(f"part {i}\n" for i in range(100))


@csrf_exempt
def upload(request):
    if request.FILES:
        return HttpResponse(str(sum(f.size for f in request.FILES.values())))
    return HttpResponse(str(len(request.body)))


def counted(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(f"count {request.session['count']}")


def users(_request):
    return HttpResponse(f"users {User.objects.count()}")


async def later(_request):
    return HttpResponse("async")


def fails(_request):
    raise ValueError("as asked")


urlpatterns = [path("", hello), path("stream", stream), path("upload", upload), path("users", users),
               path("session", counted), path("async", later), path("fails", fails),
               path("admin/", admin.site.urls)]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("admin", "admin@example.com", "admin")
