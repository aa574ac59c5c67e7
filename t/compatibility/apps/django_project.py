# SPDX-License-Identifier: MIT
"""Django with its admin, sessions, CSRF, uploads, streams, an async view and SQLite; each process
counts what its signal handler sees."""
import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="not one", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware",
                "django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {"context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages"]}}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                           "NAME": os.path.join(os.environ["APP_FOLDER"], "db.sqlite3")}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=True)
django.setup()

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
