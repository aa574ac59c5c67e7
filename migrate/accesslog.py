# SPDX-License-Identifier: MIT
"""accesslog.py: gunicorn's access_log_format, which hypercorn and others took over, as log-format."""
import re

# What gunicorn writes for each letter, by the variables of log-format.
LETTERS = {
    "h": "%(addr)", "l": "-", "u": "%(user)", "t": "[%(ltime)]",
    "r": "%(method) %(uri) %(proto)", "R": "%(method) %(var.PATH_INFO) %(proto)",
    "m": "%(method)", "U": "%(var.PATH_INFO)",
    "q": "%(var.QUERY_STRING)", "H": "%(proto)", "s": "%(status)", "st": "%(status)",
    "S": "%(var.wsgi.url_scheme)", "b": "%(rsize)", "B": "%(rsize)", "f": "%(referer)",
    "a": "%(uagent)", "T": "%(secs)", "D": "%(micros)", "M": "%(msecs)", "L": "%(secs)",
    "p": "<%(pid)>", "Uq": "%(uri)",
}
SENTENCES = {
    "S": "the scheme is not known to log-format",
    "T": "%(T)s was whole seconds; %(secs) has six digits",
}
ATOM = re.compile(r"%%|%\(([^)]*)\)([sdrf]?)|%")
COMBINED = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'


def translate(text):
    """(log-format, sentences about what it cannot say)."""
    said = []

    def atom(match):
        name = match[1]
        if name is None:
            return "%%"
        field = re.fullmatch(r"\{([^}]*)\}([ioe])", name)
        if field and field[2] == "i":
            return "%(var.HTTP_" + field[1].upper().replace("-", "_") + ")"
        if field and field[2] == "e":
            return f"%(var.{field[1]})"
        if field:
            said.append(f"%({name})s, a header of the response, is - here; uwsgi.set_logvar() "
                        "in the application can say it")
            return "-"
        if name in SENTENCES:
            said.append(SENTENCES[name])
        if name == "S":
            return "-"
        if name not in LETTERS:
            said.append(f"%({name})s is - here")
            return "-"
        return LETTERS[name]
    return ATOM.sub(atom, text), said


def is_default(text):
    return text == COMBINED
