"""Text from outside, made harmless for where it is shown: nothing prints it but through here."""

import re
from collections.abc import Sequence

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Control characters, and those that change a text's direction or lines. A line feed stays.
_CONTROLS = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# All but what neither Markdown nor HTML gives a meaning.
_MARKUP = re.compile(r"[^ '()+,\-./0-9A-Za-z\x80-\U0010ffff]")
_ADDRESS = re.compile(r"(www)\.", re.IGNORECASE)


def plain(text: str) -> str:
    """Return text for the log, for behind words of ours or inside `::stop-commands::`."""
    return _CONTROLS.sub(" ", _ESCAPES.sub("", text)).replace("##[", "## [")


def line(text: str) -> str:
    return plain(text).replace("\n", " ")


def annotate(level: str, title: str, message: str) -> None:
    """Print an error, warning or notice; GitHub shows ten of each for a step."""
    given = (plain(title[:150]), plain(message[:4000]))
    head, data = (part.replace("%", "%25").replace("\n", "%0A") for part in given)
    head = head.replace(":", "%3A").replace(",", "%2C")
    print(f"::{level} title={head}::{data}", flush=True)


def annotate_some(level: str, said: Sequence[tuple[str, str]], title: str, most: int = 10) -> None:
    """Annotate the first of many, each a title and a message, and count the others."""
    for name, message in said[:most]:
        annotate(level, name, message)
    if len(said) > most:
        annotate("notice", title, f"and {len(said) - most} more")


def markdown(text: str) -> str:
    """Return text that Markdown and HTML show as it is, on one line."""
    escaped = _MARKUP.sub(lambda m: f"&#{ord(m[0])};", line(text))
    return _ADDRESS.sub(r"\1&#46;", escaped)


def count(number: int, noun: str) -> str:
    """Return "1 job" or "2 jobs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
