"""Demands that every target of this branch is in the cache, whoever pushed it (Cache Only)."""

import time
from collections.abc import Iterable, Iterator

from cache import Outputs, Verdict, Verdicts, look_up
from context import Cache, Event, Model
from evaluate import Target, survey
from report import Note, Row, tell

RESERVE = 5  # minutes of the job that are not for waiting
_NOTHING = "No target is selected on this branch: nothing was verified."
_AGAIN = "Build it again: run the build workflow on this branch, or re-run its failed jobs."


def main(_arguments: list[str]) -> int:
    event, model = Event(), Model()
    wished = float(event.at("inputs", "wait-minutes") or 0) * 60
    targets, _ = survey(event, model)
    until = event.started + (model["minutes"]["verify"] - RESERVE) * 60
    wait = max(0, min(wished, until - time.time()))
    found, verdicts = look_up(model.cache, [target.outputs for target in targets], wait)
    demanded = list(_rows(targets, verdicts))
    notes = [] if demanded else [Note("warning", "Verify", _NOTHING)]
    return 0 if prove(model.cache, found, demanded, notes) else 1


def _rows(targets: Iterable[Target], verdicts: Verdicts) -> Iterator[Row]:
    for target in targets:
        if target.state in ("failed", "elsewhere"):
            yield Row("unknown", target.attr, target.error, f"cannot be verified: {target.error}")
        else:
            yield from rows(target.attr, target.outputs, verdicts)


def rows(attr: str, outputs: Outputs, verdicts: Verdicts) -> Iterator[Row]:
    """Yield what the cache has of a target's outputs."""
    floating = Verdict("unknown", "its path is not known before it is built")
    for output, path in (outputs or {"out": None}).items():
        name = attr if output == "out" else f"{attr} {output}"
        verdict, cause = verdicts.get(path or "", floating)
        fault = f"cannot be verified: {cause}"
        if verdict == "missing":
            fault = f"is missing: {path} ({cause}). {_AGAIN}"
        yield Row(verdict, name, f"{path or ''} {cause}".strip(), fault)


def prove(store: Cache, found: Verdict, demanded: Iterable[Row], notes: list[Note]) -> bool:
    """Tell what is there and what is not; return whether all is."""
    table = set(demanded)
    if found.state != "ok":
        table = {row._replace(fault="") for row in table}  # said once, and not for each path
        named = f"the cache {store.name or store.url}".rstrip()
        notes = [*notes, Note("error", "Verify", f"{named} cannot be used: {found.message}")]
    verdicts = [row.state for row in table]
    kinds = ("in-cache", "upstream", "missing", "unknown")
    numbers = [f"{verdicts.count(kind)} {kind.replace('-', ' the ')}" for kind in kinds]
    good = tell(f"Cache {store.url}".strip(), ", ".join(numbers), notes, table)
    return good and found.state == "ok"
