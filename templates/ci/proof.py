"""Demands that outputs are in the cache, and tells which are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import text
from cache import THERE, Found, Verdict
from context import Cache, summarize

ROWS = 1000
_ORDER = ("missing", "unknown", "in-cache", "upstream")
_ADVICE = (
    "Build and push it again: run the build workflow on this branch, or re-run its failed jobs."
)


class Row(NamedTuple):
    """An output that must be there; of a target of which none is known, one without a path."""

    attr: str
    output: str
    path: str | None
    verdict: str
    cause: str


def rows(
    attr: str, outputs: Mapping[str, str | None], verdicts: Mapping[str, Verdict]
) -> Iterator[Row]:
    """Return a row for each output of a target."""
    if not outputs:
        yield Row(attr, "", None, "unknown", "its outputs are not known")
    for output, path in outputs.items():
        why = "content-addressed: the path is not known before it is built"
        if path:
            why = "the cache was not asked"
        verdict = verdicts.get(path or "", Verdict("unknown", why))
        yield Row(attr, output, path, *verdict)


def tell(cache: Cache, found: Found, demanded: Iterable[Row], note: str = "") -> bool:
    """Tell what is there and what is not, and say whether everything is; the note is for the summary."""
    table = sorted(set(demanded), key=lambda row: (min(_ORDER.index(row.verdict), 2), row[:2]))
    bad = [row for row in table if row.verdict not in THERE]
    count = {name: sum(row.verdict == name for row in table) for name in _ORDER}
    numbers = (count["in-cache"], count["upstream"], count["missing"], count["unknown"])
    _annotate(cache, found, bad)
    print("{} in the cache, {} upstream, {} missing, {} unknown".format(*numbers))
    state, message = found.state
    url = text.code(cache.url)
    said = {"none": "No cache is configured.", "ok": url}
    lines = ["### Cache", "", said.get(state, f"{url} cannot be used: {text.markdown(message)}")]
    lines += [
        "",
        "| in the cache | upstream | missing | unknown |",
        "| ---: | ---: | ---: | ---: |",
    ]
    lines += ["| {} | {} | {} | {} |".format(*numbers), "", text.markdown(note), ""]
    lines += _table(bad)
    there = _table(table[len(bad) :])
    if there:
        head = f"<details><summary>there ({len(table) - len(bad)})</summary>"
        lines += [head, "", *there, "</details>", ""]
    summarize("\n".join(lines))
    return not bad


def _annotate(cache: Cache, found: Found, bad: list[Row]) -> None:
    state, message = found.state
    if state not in ("ok", "none"):
        what = f"the cache {cache.name or cache.url} cannot be used: {message}"
        text.annotate("error", "Verify", what)
    missing = [row for row in bad if row.verdict == "missing"]
    unclear = [row for row in bad if row.verdict == "unknown" and state == "ok"]
    for row in missing[:20] + unclear[:10]:
        what = f"unknown whether it is there ({row.cause})"
        if row.verdict == "missing":
            what = f"{row.path} is missing ({row.cause}). {_ADVICE}"
        text.annotate("error", row.attr, f"{row.attr} {row.output}".rstrip() + f": {what}")
    more = len(missing[20:]) + len(unclear[10:])
    if more:
        text.annotate("notice", "Verify", f"and {more} more")


def _table(table: list[Row]) -> list[str]:
    if not table:
        return []
    lines = ["| verdict | output | path | cause |", "| --- | --- | --- | --- |"]
    for attr, output, path, verdict, cause in table[:ROWS]:
        name = text.code(attr) + (f" {text.markdown(output)}" if output not in ("", "out") else "")
        path, cause = text.markdown(path or ""), text.markdown(cause[:300])
        lines.append(f"| {verdict} | {name} | {path} | {cause} |")
    if len(table) > ROWS:
        lines.append(f"| | and {len(table) - ROWS} more | | |")
    return [*lines, ""]
