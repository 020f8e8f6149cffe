"""What jobs tell people: annotations for what is wrong, the step's summary for everything."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import text
from cache import THERE, Found, Verdict
from context import Cache, summarize
from evaluate import Target

BAD = ("failed", "no-runner")  # states of what cannot be built
_KINDS = {
    "to build": ("build", "elsewhere"),
    "in the cache": ("cached",),
    "upstream": ("upstream",),
    "cannot be built": BAD,
}
_NAMES = 500  # of a kind
_ORDER = ("missing", "unknown", "in-cache", "upstream")
_ADVICE = (
    "Build and push it again: run the build workflow on this branch, or re-run its failed jobs."
)


def blame(targets: Iterable[Target], stranded: Iterable[str]) -> None:
    """Annotate what cannot be built; stranded are systems without a runner to list them on."""
    faults = []
    for target in targets:
        if target.state == "failed":
            faults.append((target.attr, f"{target.attr} does not evaluate: {target.error}"))
        elif target.state == "no-runner":
            what = f"is for {target.system}, for which no runner is configured"
            faults.append((target.attr, f"{target.attr} {what}"))
    what = "must be listed on their own runner, and none is configured"
    faults += [(system, f"the targets of {system} {what}") for system in stranded]
    text.annotate_some(faults, "Nix Build Cache", "more targets that cannot be built")


def _of_kind(targets: Sequence[Target]) -> dict[str, list[Target]]:
    return {kind: [one for one in targets if one.state in s] for kind, s in _KINDS.items()}


def line(targets: Sequence[Target], jobs: int) -> str:
    build, cached, upstream, bad = map(len, _of_kind(targets).values())
    there = f"{cached + upstream} already there, {bad} cannot be built"
    return f"{build} to build in {text.count(jobs, 'job')}, {there}"


def summary(targets: Sequence[Target], jobs: int, there: Iterable[str], said: Iterable[str]) -> str:
    """Return a plan's summary: what was said, the targets, and the systems listed there."""
    kinds = _of_kind(targets)
    lines = ["### Plan", "", *(f"{text.markdown(message)}\n" for message in said)]
    lines += text.table([*kinds, "jobs"], [[*map(len, kinds.values()), jobs]])
    if systems := ", ".join(map(text.markdown, there)):
        lines += [f"Listed on their own runner: {systems}.", ""]
    bad = kinds.pop("cannot be built")
    rows = []
    for target in bad:
        facts = text.markdown(target.system or "not known"), target.state
        rows.append([text.code(target.attr), *facts, text.markdown((target.error or "")[:300])])
    lines += text.table(["cannot be built", "system", "state", "cause"], rows, 200)
    away = ", evaluated on its runner, as what it imports is not in the cache"
    for kind, some in kinds.items():
        names = [text.code(t.attr) + away * (t.state == "elsewhere") for t in some[:_NAMES]]
        if len(some) > _NAMES:
            names.append(f"and {len(some) - _NAMES} more")
        lines += _folded(f"{kind} ({len(some)})", [f"- {name}" for name in names])
    return "\n".join(lines)


def _folded(title: str, lines: list[str]) -> list[str]:
    head = f"<details><summary>{title}</summary>"
    return [head, "", *lines, "", "</details>", ""] if lines else []


def tell(result: dict[str, Any], system: str, faults: list[tuple[str, str]]) -> None:
    """Tell of a build job's result, after what went wrong besides: titles and messages."""
    targets = sorted(result["targets"], key=lambda one: (one["state"] == "built", one["attr"]))
    failed = [target for target in targets if target["state"] != "built"]
    if failed and result["diskFull"]:
        advice = "name a larger runner, or spread the targets over more jobs (shards)."
        if system.endswith("-linux"):
            advice = f"set disk-space: free in garnix2gha's settings, or {advice}"
        faults = [("disk full", f"No space left on device: {advice}"), *faults]
    text.annotate_some(faults, "Build", "more")
    told = []
    for target in failed:
        evaluated = target["state"] != "evaluation-failed"
        what = f"{target['attr']} {'is not built' if evaluated else 'does not evaluate'}"
        message = f"{what}: {target['cause']}\n{target['log'][-2500:]}"
        told.append((target["attr"], message.removesuffix("\n")))
    text.annotate_some(told, "Build", "more targets that failed", 10 - len(faults))
    pushed = "pushed" if result["pushed"] else "not pushed"
    lines = [f"### {text.markdown(result['entry'])}", ""]
    lines += [f"{text.markdown(message)}\n" for _, message in faults]
    lines += [f"{len(targets) - len(failed)} built, {len(failed)} not; {pushed}.", ""]
    rows = []
    for target in targets:
        said = target["cause"][:300] or text.count(len(target["outputs"]), "output")
        rows.append([target["state"], text.code(target["attr"]), text.markdown(said)])
    summarize("\n".join([*lines, *text.table(["state", "attribute", ""], rows, 2000)]))


class Row(NamedTuple):
    """An output that the cache must have; one without a path where none is known."""

    attr: str
    output: str
    path: str | None
    verdict: str
    cause: str


def rows(
    attr: str, outputs: Mapping[str, str | None], verdicts: Mapping[str, Verdict]
) -> Iterator[Row]:
    if not outputs:
        yield Row(attr, "", None, "unknown", "its outputs are not known")
    for output, path in outputs.items():
        why = "content-addressed: the path is not known before it is built"
        if path:
            why = "the cache was not asked"
        yield Row(attr, output, path, *verdicts.get(path or "", Verdict("unknown", why)))


def prove(cache: Cache, found: Found, demanded: Iterable[Row], note: str = "") -> bool:
    """Tell what is there and what is not; return whether all is. The note is for the summary."""
    table = sorted(set(demanded), key=lambda row: (min(_ORDER.index(row.verdict), 2), row[:2]))
    bad = [row for row in table if row.verdict not in THERE]
    verdicts = [row.verdict for row in table]
    count = {kind.replace("-", " the "): verdicts.count(kind) for kind in _ORDER[2:] + _ORDER[:2]}
    state, message = found.state
    if state not in ("ok", "none"):
        what = f"the cache {cache.name or cache.url} cannot be used: {message}"
        text.annotate("error", "Verify", what)
    faults = []
    for row in bad:
        what = f"{row.path} is missing ({row.cause}). {_ADVICE}"
        if row.verdict == "unknown":
            what = f"unknown whether it is there ({row.cause})"
        if row.verdict == "missing" or state == "ok":
            faults.append((row.attr, f"{row.attr} {row.output}".rstrip() + f": {what}"))
    text.annotate_some(faults, "Verify", "more", 20)
    print(", ".join(f"{number} {kind}" for kind, number in count.items()))
    url = text.code(cache.url)
    unusable = f"{url} cannot be used: {text.markdown(message)}"
    said = {"none": "No cache is configured.", "ok": url}.get(state, unusable)
    numbers = text.table(list(count), [list(count.values())])
    lines = ["### Cache", "", said, "", *numbers, text.markdown(note), ""]
    there = _folded(f"there ({len(table) - len(bad)})", _rows(table[len(bad) :]))
    summarize("\n".join([*lines, *_rows(bad), *there]))
    return not bad


def _rows(table: list[Row]) -> list[str]:
    cells = []
    for attr, output, path, verdict, cause in table:
        name = text.code(attr) + (f" {text.markdown(output)}" if output not in ("", "out") else "")
        cells.append([verdict, name, text.markdown(path or ""), text.markdown(cause[:300])])
    return text.table(["verdict", "output", "path", "cause"], cells)
