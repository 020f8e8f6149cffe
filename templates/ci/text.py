"""Text from outside, made harmless for the place where it is shown.

Attribute and branch names, build logs and servers' answers belong to others. Nothing in these programs prints them but
through here: `plain` for the log, `annotate` for annotations, `markdown` and `code` for summaries.
"""

from __future__ import annotations

import re
import sys

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Control characters, and those that change the direction or the lines of a text. A line feed stays.
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# What neither Markdown nor HTML gives a meaning.
_MARKUP = re.compile(r"[^ '()+,\-./0-9A-Za-z\x80-\U0010ffff]")
_ADDRESS = re.compile(r"(www)\.", re.IGNORECASE)


def plain(text: str) -> str:
    """Return text for the log: no control characters but line feeds, no runner command.

    A line is for the caller to print inside `::stop-commands::` or behind words of ours: only at its start, or after
    `##[`, does the runner look for a command.
    """
    return _CONTROLS.sub(" ", _ESCAPES.sub("", text)).replace("##[", "## [")


def line(text: str) -> str:
    """Return text for the log as one line that begins with no command."""
    one = plain(text).replace("\n", " ").strip()
    return f" {one}" if one.startswith("::") else one


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def annotate(level: str, title: str, message: str) -> None:
    """Print an annotation; level is error, warning or notice. GitHub shows ten of each for a step."""
    sys.stdout.write(f"::{level} title={_property(title[:150])}::{_data(message[:4000])}\n")
    sys.stdout.flush()


def markdown(text: str) -> str:
    """Return text that Markdown and HTML show as it is, on one line."""
    escaped = _MARKUP.sub(lambda m: f"&#{ord(m[0])};", plain(text).replace("\n", " "))
    return _ADDRESS.sub(r"\1&#46;", escaped)


def code(text: str) -> str:
    """Return text as code in a table of a summary."""
    return f"<code>{markdown(text)}</code>"


def count(number: int, noun: str) -> str:
    """Return "1 job" or "2 jobs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
