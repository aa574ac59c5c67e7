#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a document of what `uwsgi --help-json` says, which it reads from standard input.

usage: ./uwsgi --help-json | buildconf/documents.py markdown | man | bash | zsh

`make docs` keeps the reference page in Markdown, `make install` the manual page and what the
shells complete the command line with.  Debian's python3 is enough.
"""
import json
import sys
import textwrap

# The day on which the words of the manual page were last changed: it must not depend on who
# builds it.
CHANGED = "November 26, 2026"

ACCEPTED = {"always": "Accepted, and always so", "planned": "Accepted, and without effect yet"}


# ---- docs/options.md ----

MARKDOWN_HEAD = """\
# Options

Made by `make docs` from the tables in the source. An option is written
`name = value` in the `[uwsgi]` section of an ini file, `--name value` on the
command line, or `UWSGI_NAME=value` in the environment. A `#` or `;` after white
space ends a value, unless it is said that they belong to it.
"""


def markdown_option(option):
    also = [f"`{name}`" for name in option["also"]]
    if option["letter"]:
        also.append(f"`-{option['letter']}`")
    sentence = option["help"][0].upper() + option["help"][1:]
    lines = [f"### {option['name']}", "", f"{sentence}.", "",
             f"- type: {option['type']}", f"- default: {option['default']}",
             f"- example: `{option['name']} = {option['example']}`"]
    if also:
        lines.append(f"- also: {', '.join(also)}")
    if option["uwsgi"]:
        lines.append(f"- uWSGI: {option['uwsgi']}")
    return "\n".join(lines) + "\n"


def markdown_subjects(subjects, status):
    for subject in subjects:
        if subject["status"] == status and subject["options"]:
            about = "; ".join(filter(None, (subject["title"], subject["text"])))
            yield f"- {about}: " + ", ".join(f"`{o['name']}`" for o in subject["options"])


def markdown(said):
    parts = [MARKDOWN_HEAD]
    for module in said["modules"]:
        parts.append(f"## Options of {module['name']}\n")
        parts += map(markdown_option, module["options"])
    for status, heading in (
            ("always", f"{ACCEPTED['always']}\n"),
            ("planned", f"{ACCEPTED['planned']}\n\nThe log names them at start.\n"),
            ("elsewhere", "Left to others\n\nThe log names these too; with `strict` they are"
                          " errors.\n")):
        parts.append(f"## {heading}")
        parts.append("\n".join(markdown_subjects(said["subjects"], status)) + "\n")
    return "\n".join(parts)


# ---- uwsgi(1), in mdoc(7) ----

MAN_HEAD = rf"""
.Dd {CHANGED}
.Dt UWSGI 1
.Os
.nh
.Sh NAME
.Nm uwsgi
.Nd application server for Python
.Sh SYNOPSIS
.Nm
.Op Ar option ...
.Op Ar file.ini Ns Op : Ns Ar section | Ar file.py
.Nm
.Fl Fl check Ns | Ns Fl Fl check\-app Ns | Ns Fl Fl show\-config
.Ar file.ini
.Nm
.Fl Fl reload Ns | Ns Fl Fl stop
.Ar pidfile
.Sh DESCRIPTION
.Nm
serves a Python application (WSGI) over the uwsgi protocol, HTTP and FastCGI.
A master process opens the sockets and keeps worker processes running.
.Pp
An option is written
.Ql name = value
in the
.Ql [uwsgi]
section of an ini file,
.Fl Fl name Ar value
on the command line, or
.Ev UWSGI_NAME Ns = Ns Ar value
in the environment.
""".strip()

MAN_TAIL = r"""
.Sh SIGNALS
To the master process:
.Bl -tag -width SIGTERM
.It Dv SIGHUP
Reload: a new generation is started beside the old one, which serves on
until the new one does, or goes on serving if that fails.
.It Dv SIGTERM
Finish the requests that run, then end.
.It Dv SIGINT , SIGQUIT
End at once.
.It Dv SIGUSR1
Write a line for each worker to the log.
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
The server ended because it was asked to.
.It 22
The application cannot be imported, and
.Fl Fl need\-app
is set.
.It other
The server could not start or not go on; the last lines of the log say why.
.El
.Sh EXAMPLES
Serve the object
.Ql app
of
.Pa app.py
to a browser on this machine:
.Pp
.Dl uwsgi \-\-http\-socket 127.0.0.1:8080 \-\-module app:app
.Pp
See what is wrong with a configuration, without starting anything:
.Pp
.Dl uwsgi \-\-check /etc/myapp/uwsgi.ini
.Pp
Put a new release of the application into service:
.Pp
.Dl uwsgi \-\-reload /run/myapp/uwsgi.pid
.Sh SEE ALSO
.Xr systemd.service 5 ,
.Xr uwsgi.ini 5 ,
.Xr nginx 8
""".strip()


def man_escaped(text):
    """Text of the tables: none of it is markup, and write() is a word, no reference."""
    return text.replace("\\", "\\e").replace("(", "\\&(").replace("-", "\\-")


def man_text(text):
    """As text lines, which must not begin as a macro does."""
    for line in textwrap.wrap(text, 64, break_long_words=False, break_on_hyphens=False):
        yield ("\\&" if line[0] in ".'" else "") + man_escaped(line)


def man_argument(text):
    """One argument of a macro, whatever is in it."""
    return '"\\&' + man_escaped(text).replace('"', '""') + '"'


def man_name(letter, name, value, attached):
    words = [".It"]
    if letter:
        words.append(f"Fl {letter} ,")
    words.append(f"Fl Fl {man_argument(name)}")
    if value:
        words.append(("Ns " if attached else "") + f"Ar {man_argument(value)}")
    return " ".join(words)


def man_list(title, items):
    yield from (title, ".Bl -tag -width Ds")
    for item in items:
        yield from item
    yield ".El"


def man_command(row):
    yield man_name(row["letter"], row["name"], row["value"], row["value"].startswith("[="))
    yield from man_text(row["help"])


def man_option(option):
    optional = option["takes"] == "optional"
    value = f"[={option['value']}]" if optional and option["value"] else option["value"]
    yield man_name(option["letter"], option["name"], value, optional)
    yield from man_text(option["help"])
    for fact in ("type", "default", "also"):
        text = option[fact] if fact != "also" else ", ".join(option["also"])
        if text:
            yield from (".br", f"{fact.capitalize()}:")
            yield from man_text(text)


def man_subject(subject):
    yield f".It {man_argument(subject['title'] or subject['text'])}"
    yield from man_text(", ".join(o["name"] for o in subject["options"]))


def man(said):
    lines = [MAN_HEAD, *man_list(".Sh COMMANDS", map(man_command, said["commands"])),
             ".Sh OPTIONS"]
    for module in said["modules"]:
        lines += man_list(f".Ss Options of {module['name']}", map(man_option, module["options"]))
    for status, title in ACCEPTED.items():
        lines += man_list(f".Ss {title}", (man_subject(s) for s in said["subjects"]
                                           if s["status"] == status))
    return "\n".join([*lines, MAN_TAIL, ""])


# ---- what shells complete the command line with ----

def each_name(said):
    """All names that are accepted, aliases too, each with its option; None: it has no effect."""
    for module in said["modules"]:
        for option in module["options"]:
            for name in (option["name"], *option["also"]):
                yield name, option["takes"], option
    for subject in said["subjects"]:
        if subject["status"] in ACCEPTED:
            for option in subject["options"]:
                yield option["name"], option["takes"], None


BASH = """\
# bash completion of uwsgi; made by buildconf/documents.py
_uwsgi()
{
\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
\tCOMPREPLY=()
\tcase $prev in
%s
\t--reload|--stop) COMPREPLY=($(compgen -f -- "$cur")); return ;;
\tesac
\tcase $cur in
\t-*) COMPREPLY=($(compgen -W "%s" -- "$cur")) ;;
\t*) COMPREPLY=($(compgen -f -X '!*.ini' -- "$cur") $(compgen -d -- "$cur")) ;;
\tesac
}
complete -o filenames -F _uwsgi uwsgi
"""


def bash(said):
    cases, names = [], [f"--{row['name']}" for row in said["commands"]]
    for name, takes, option in each_name(said):
        names.append(f"--{name}")
        if takes != "required":
            continue
        reply = "compgen -d" if option and option["value"] == "FOLDER" else "compgen -f"
        if option and option["choices"]:
            reply = f"compgen -W '{' '.join(option['choices'])}'"
        cases.append(f'\t--{name}) COMPREPLY=($({reply} -- "$cur")); return ;;')
    return BASH % ("\n".join(cases), " ".join(names))


ZSH = """\
#compdef uwsgi
# zsh completion of uwsgi; made by buildconf/documents.py
_arguments \\
%s
\t'*:configuration:_files -g "*.ini"'
"""


def zsh_text(text):
    """Inside '…[…]': quotes and brackets end it, a colon separates."""
    for sign in "\\[]:":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("'", "'\\''")


def zsh_value(option):
    if not option:
        return ":VALUE:_files"
    if option["choices"]:
        return f":value:({' '.join(option['choices'])})"
    action = "_files -/" if option["value"] == "FOLDER" else "_files"
    if option["name"] == "ini":
        action = '_files -g "*.ini"'
    return f":{zsh_text(option['value'])}:" + action


def zsh(said):
    lines = [f"\t'--{row['name']}[{zsh_text(row['help'])}]"
             f"{':file:_files' if row['takes'] == 'required' else ''}' \\"
             for row in said["commands"]]
    for name, takes, option in each_name(said):
        value = zsh_value(option) if takes == "required" else ""
        lines.append(f"\t'*--{name}[{zsh_text(option['help'] if option else 'no effect here')}]"
                     f"{value}' \\")
    return ZSH % "\n".join(lines)


def main():
    makers = {maker.__name__: maker for maker in (markdown, man, bash, zsh)}
    if len(sys.argv) != 2 or sys.argv[1] not in makers:
        sys.exit(f"usage: uwsgi --help-json | {sys.argv[0]} {' | '.join(makers)}")
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(makers[sys.argv[1]](json.loads(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
