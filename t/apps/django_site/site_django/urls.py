# SPDX-License-Identifier: MIT
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


def hello(request):
    return HttpResponse("hello from django\n")


@csrf_exempt
def echo(request):
    return HttpResponse(request.body, content_type="application/octet-stream")


@csrf_exempt
def upload(request):
    return HttpResponse(str(sum(len(c) for c in request.FILES["file"].chunks())))


@csrf_exempt
def form(request):
    return HttpResponse(f"{request.POST.get('a')} {len(request.body)}")


def stream(request):
    return StreamingHttpResponse(f"line {i}\n" for i in range(1000))


def this_file(request):
    return FileResponse(open(__file__, "rb"))


def where(request, rest):
    return HttpResponse(f"{rest} {request.is_secure()} {request.get_host()}")


urlpatterns = [path("", hello), path("echo", echo), path("upload", upload), path("form", form),
               path("stream", stream), path("file", this_file), path("where/<path:rest>", where)]
