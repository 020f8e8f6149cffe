"""What jobs tell people: annotations for what is wrong, the step's summary for everything."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import text
from context import summarize

GOOD = ("build", "elsewhere", "cached", "upstream", "built", "in-cache")  # states
_MOST = 10  # annotations of a level that GitHub shows for a step


class Note(NamedTuple):
    """What is to be said besides; without a level only in the summary."""

    level: str
    title: str
    message: str


class Row(NamedTuple):
    """What became of a target, or of one of its outputs; a fault follows its name."""

    state: str
    name: str
    what: str = ""
    fault: str = ""


def tell(title: str, line: str, notes: Sequence[Note], rows: Iterable[Row]) -> bool:
    """Annotate what is wrong, summarize everything, and say whether every row is good."""
    for level, name, message in notes:
        if level:
            text.annotate(level, name, message)
    ordered = sorted(set(rows))
    good = [row for row in ordered if row.state in GOOD]
    bad = [row for row in ordered if row.state not in GOOD]
    faults = [(row.name, f"{row.name} {row.fault}") for row in bad if row.fault]
    most = _MOST - sum(note.level == "error" for note in notes)
    text.annotate_some("error", faults, title, most)
    print(line)
    lines = [f"### {text.markdown(title)}", ""]
    lines += [f"{text.markdown(said)}\n" for said in (*(note.message for note in notes), line)]
    lines += _table(bad)
    if good:
        head = f"{'the others' if bad else 'all'} ({len(good)})"
        lines += [f"<details><summary>{head}</summary>", "", *_table(good), "</details>"]
    summarize("\n".join(lines))
    return not bad


def _table(rows: Sequence[Row]) -> list[str]:
    lines = ["| state | name | |", "| --- | --- | --- |"] if rows else []
    for state, name, what, _ in rows:
        cells = f"<code>{text.markdown(name)}</code> | {text.markdown(what[:300])}"
        lines.append(f"| {state} | {cells} |")
    return [*lines, ""]
