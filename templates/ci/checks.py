"""Proves what this run had to push or skipped as cached, and decides whether it is good."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import cache
import evaluate
import inner
import text
import verify
from context import PROGRAMS, Model, read_json, variable, work
from plan import TO_BUILD

ROUNDS = 4  # in which what was just pushed and is missing is asked for again: a minute


def main(_arguments: list[str]) -> int:
    plan = read_json(PROGRAMS.parent / "plan.json")
    build = variable("BUILD")  # how the job ended
    told = collect(plan, work() / "results")
    faults = list(_faults(plan, build, told))
    if plan["push"] and build != "cancelled" and not _proven(plan, told):
        faults.append("the cache does not hold everything")
    for fault in faults:
        text.annotate("error", "Decision", fault)
    if not faults:
        print("all is well")
    return 1 if faults else 0


def collect(plan: dict[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """Read results by attribute; a job ran foreign code and counts only for its own targets."""
    planned = {target["attr"] for target in plan["targets"]}
    told = {}
    for entry in plan["entries"]:
        name, mine = f"{entry['id']}.json", {".".join(path) for path in entry["targets"]}
        # Artifacts lie in a folder each; a single one may lie flat.
        files = [folder / f"garnix2gha-result-{entry['id']}" / name, folder / name]
        for file in (file for file in files if file.is_file() and not file.is_symlink()):
            result = inner.read(file)
            for target in result["targets"] if result.get("entry") == entry["id"] else ():
                attr, path = target["attr"], target["attr"].split(".")
                # As the plan deals them: by the path, whatever system a derivation is for.
                system = (path[1:] and evaluate.system_of(path)) or target.get("system")
                listed = entry["rules"] and system == entry["system"] and attr not in planned
                if attr in mine or listed:
                    pushed = result.get("pushed") is True
                    told[attr] = {**target, "path": path, "pushed": pushed}
    return told


def _faults(plan: dict[str, Any], build: str, told: dict[str, Any]) -> Iterator[str]:
    yield from plan["faults"]
    if build == "skipped" and plan["entries"]:
        yield "the build was skipped although there is something to build"
    if build not in ("success", "skipped"):
        yield "the build did not succeed"
    elif any(target["state"] != "built" for target in told.values()):
        yield "the build says that it succeeded, and that targets are not built"


def _demanded(plan: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs that must be in the cache, by the attribute.

    What the plan knows counts before what a job says: a target drops out only if its job says that
    it is not built, which makes the run red, and a job names outputs only where the plan could not.
    """
    demanded = {attr: target["outputs"] for attr, target in told.items() if _built(target)}
    for target in plan["targets"]:
        attr, outputs = target["attr"], target["outputs"]
        if target["state"] in ("cached", "upstream"):
            demanded[attr] = outputs
        elif target["state"] in TO_BUILD and target["path"] and _built(told.get(attr)):
            named = demanded.get(attr, {})
            known = {name: path or named.get(name) for name, path in outputs.items()}
            demanded[attr] = known or named
    return demanded


def _built(outcome: dict[str, Any] | None) -> bool:
    return not outcome or outcome["state"] == "built"


def _proven(plan: dict[str, Any], told: dict[str, Any]) -> bool:
    store, demanded = Model().cache, _demanded(plan, told)
    wait = ROUNDS * cache.PAUSE if plan["entries"] else 0
    found, verdicts = cache.look_up(store, demanded.values(), wait)
    rows = [verify.rows(attr, outputs, verdicts) for attr, outputs in demanded.items()]
    return verify.prove(store, found, chain.from_iterable(rows), [])
