"""What the plan says to people: annotations for what cannot be built, and the step's summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import text
from evaluate import Target

BAD = ("failed", "no-runner")  # states of what cannot be built
_KINDS = {
    "to build": ("build", "elsewhere"),
    "in the cache": ("cached",),
    "upstream": ("upstream",),
    "cannot be built": BAD,
}
_ANNOTATIONS, _ROWS, _NAMES = 10, 200, 500  # at most so many


def annotate(targets: Sequence[Target], stranded: Iterable[str]) -> None:
    """Name what cannot be built; stranded are systems that must be listed on a runner that they do not have."""
    faults = []
    for target in targets:
        if target.state == "failed":
            faults.append((target.attr, f"{target.attr} does not evaluate: {target.error}"))
        elif target.state == "no-runner":
            what = f"is for {target.system}, for which no runner is configured"
            faults.append((target.attr, f"{target.attr} {what}"))
    for system in stranded:
        what = "must be listed on their own runner, and none is configured"
        faults.append((system, f"the targets of {system} {what}"))
    for title, message in faults[:_ANNOTATIONS]:
        text.annotate("error", title, message)
    if more := faults[_ANNOTATIONS:]:
        what = f"and {text.count(len(more), 'more target')} that cannot be built"
        text.annotate("notice", "Nix Build Cache", what)


def _count(targets: Sequence[Target]) -> dict[str, int]:
    return {
        kind: sum(target.state in states for target in targets) for kind, states in _KINDS.items()
    }


def line(targets: Sequence[Target], jobs: int) -> str:
    """Return the plan in one line."""
    build, cached, upstream, bad = _count(targets).values()
    return f"{build} to build in {text.count(jobs, 'job')}, {cached + upstream} already there, {bad} cannot be built"


def summary(targets: Sequence[Target], jobs: int, there: Iterable[str], said: Iterable[str]) -> str:
    """Return the summary: what was said, and the targets; there are the systems that are listed on their runner."""
    numbers = {**_count(targets), "jobs": jobs}
    lines = ["### Plan", ""]
    for message in said:
        lines += [text.markdown(message), ""]
    lines += [f"| {' | '.join(numbers)} |", "| ---: " * len(numbers) + "|"]
    lines += [f"| {' | '.join(map(str, numbers.values()))} |", ""]
    if systems := ", ".join(map(text.markdown, there)):
        lines += [f"Listed on their own runner: {systems}.", ""]
    bad = [target for target in targets if target.state in BAD]
    if bad:
        lines += ["| cannot be built | system | state | cause |", "| --- | --- | --- | --- |"]
        lines += [_row(target) for target in bad[:_ROWS]]
        lines += [f"| and {len(bad) - _ROWS} more | | | |"] if len(bad) > _ROWS else []
        lines.append("")
    for kind in ("to build", "in the cache", "upstream"):
        if some := [target for target in targets if target.state in _KINDS[kind]]:
            lines += [f"<details><summary>{kind} ({len(some)})</summary>", ""]
            lines += [f"- {text.code(target.attr)}{_where(target)}" for target in some[:_NAMES]]
            lines += [f"- and {len(some) - _NAMES} more"] if len(some) > _NAMES else []
            lines += ["", "</details>", ""]
    return "\n".join(lines)


def _where(target: Target) -> str:
    there = ", evaluated on its runner, as what it imports is not in the cache"
    return there if target.state == "elsewhere" else ""


def _row(target: Target) -> str:
    system = text.markdown(target.system or "not known")
    cause = text.markdown((target.error or "")[:300])
    return f"| {text.code(target.attr)} | {system} | {target.state} | {cause} |"
