# SPDX-License-Identifier: MIT
"""Django's smallest application."""
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="bench")
urlpatterns = [path("", lambda request: HttpResponse("Hello World\n"))]
application = get_wsgi_application()
