# SPDX-License-Identifier: MIT
"""words.py: what a command line says, by a table of options.  Each source has its table; a row also
says what becomes of the option."""
import shlex

FLAG, TEXT, LIST = "flag", "text", "list"


class Misread(Exception):
    """A sentence for the user: what cannot be read, and why."""


class Row:
    """name: as in a configuration file; flags: "-w --workers"; kind; to: the option here that takes
    the value as it is, or a function of (moving, setting); lack: why there is none; takes: how many
    words a LIST or TEXT takes, 1 mostly; may_take: words that may stand behind a FLAG."""

    def __init__(self, name, flags="", kind=TEXT, to=None, lack=None, takes=1, may_take=()):
        self.name, self.flags, self.kind = name, flags.split(), kind
        self.to, self.lack, self.takes, self.may_take = to, lack, takes, may_take


def listed(value):
    """As a list, also where one value was given alone."""
    return value if isinstance(value, list) else [value]


class Setting:
    """One value, and where it stands."""

    def __init__(self, value, source):
        self.value, self.source = value, source

    @property
    def text(self):
        return str(self.value)

    @property
    def each(self):
        return listed(self.value)


class Settings(dict):
    """{name: Setting} of a source."""

    def text(self, name, default=None):
        return self[name].text if name in self else default

    def number(self, name, default=0):
        """default also where the value is a variable of the environment."""
        try:
            return int(float(self[name].value)) if name in self else default
        except (TypeError, ValueError):
            return default

    def on(self, name):
        return name in self and str(self[name].value).lower() not in ("false", "0", "off", "none", "")


def find_row(rows, flag):
    """As argparse does: a beginning that only one option has stands for it."""
    exact = [r for r in rows if flag in r.flags]
    if exact or not flag.startswith("--"):
        return exact[0] if exact else None
    near = [r for r in rows if any(f.startswith(flag) for f in r.flags)]
    return near[0] if len(near) == 1 else None


def split(text):
    try:
        return shlex.split(text)
    except ValueError as e:
        raise Misread(f"the command line cannot be taken apart: {e}") from None


def join(words):
    return " ".join(map(shlex.quote, words))


def parse(rows, words, place=""):
    """(Settings, operands, unknown flags); place: what the source of each begins with."""
    found, operands, unknown = Settings(), [], []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            operands.extend(words)
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        flag, attached = word, None
        if word.startswith("--") and "=" in word:
            flag, attached = word.split("=", 1)
        elif not word.startswith("--") and len(word) > 2:
            flag, attached = word[:2], word[2:].lstrip("=")
        row = find_row(rows, flag)
        if not row:
            unknown.append(word)
            continue
        if row.kind == FLAG:
            follows = words[0] if words and attached is None else attached or ""
            if follows.lower() in row.may_take:
                found[row.name] = Setting(follows, f"{place}{flag} {follows}")
                words = words if attached else words[1:]
                continue
            found[row.name] = Setting(True, place + flag)
            if attached and not word.startswith("--"):
                words.insert(0, "-" + attached)
            continue
        values = [attached] if attached is not None else []
        while len(values) < row.takes:
            if not words:
                raise Misread(f"{flag} needs a value")
            values.append(words.pop(0))
        value = values[0] if row.takes == 1 else values
        shown = f"{place}{flag} {' '.join(values)}"
        if row.kind == LIST:
            before = found[row.name].value if row.name in found else []
            found[row.name] = Setting(before + [value], shown if not before else f"{place}{flag}")
        else:
            found[row.name] = Setting(value, shown)
    return found, operands, unknown


def call(row, moving, setting):
    """A file that is a program may give any value any type."""
    try:
        row.to(moving, setting)
    except (AttributeError, KeyError, TypeError, ValueError):
        moving.ini.lack(setting.source, "is no value that this setting takes")


def carry_over(rows, settings, moving):
    """Writes what each setting becomes into moving.ini, in the order of the rows."""
    for row in rows:
        setting = settings.get(row.name)
        if setting is None:
            continue
        if row.lack and setting.value in (None, "", False, [], {}):
            continue
        if row.lack:
            moving.ini.lack(setting.source, row.lack)
        elif callable(row.to):
            call(row, moving, setting)
        elif row.to and row.kind == FLAG:
            if settings.on(row.name):
                moving.ini.set(row.to, "true", setting.source)
        elif row.to:
            for value in setting.each:
                moving.ini.set(row.to, value, setting.source)
