# SPDX-License-Identifier: MIT
"""The uwsgi application server: a program in C beside this package, which `python -m uwsgi_ng` runs.

What applications find in a running server is the module uwsgi."""
