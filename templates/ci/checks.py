"""Proves what this run had to push or skipped as cached, and decides whether it is good."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import cache
import evaluate
import inner
import report
import text
from context import PROGRAMS, Cache, Model, read_json, variable, work
from web import Client

ROUNDS = 4  # in which what was just pushed and is missing is asked for again: a minute


def main(_arguments: list[str]) -> int:
    plan = read_json(PROGRAMS.parent / "plan.json")
    jobs = {"plan": variable("PLAN"), "build": variable("BUILD")}
    told = collect(plan, work() / "results")
    faults = list(_faults(plan, jobs, told))
    proving = plan["push"] and "cancelled" not in jobs.values()
    if proving and not _verify(list(_demanded(plan, told)), Model().cache):
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
                attr, path = target["attr"], target["path"]
                # As the plan deals them: by the path, whatever system a derivation is for.
                named = len(path) > 1 and evaluate.system_of(path)
                here = (named or target.get("system")) == entry["system"]
                listed = entry.get("rules") and here and ".".join(path) == attr
                if attr in mine or (listed and attr not in planned):
                    told[attr] = {**target, "pushed": result.get("pushed") is True}
    return told


def _faults(plan: dict[str, Any], jobs: dict[str, str], told: dict[str, Any]) -> Iterator[str]:
    if jobs["plan"] != "success":
        yield "the plan failed: the flake could not be evaluated, or the job was stopped"
    if plan["failed"]:
        failed = text.count(plan["failed"], "target")
        yield f"{failed} cannot be evaluated or built anywhere; the plan names them"
    if plan["blocked"]:
        yield "this run should push and cannot; the plan says why"
    if plan["stale"]:
        yield plan["stale"]
    if jobs["build"] == "skipped" and plan["entries"]:
        yield "the build was skipped although there is something to build"
    if jobs["build"] not in ("success", "skipped"):
        yield "the build did not succeed"
    elif any(target["state"] != "built" for target in told.values()):
        yield "the build says that it succeeded, and that targets are not built"


def _demanded(plan: dict[str, Any], told: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Yield what must be in the cache: attribute, outputs, and whether this run had to push them.

    What the plan knows counts before what a job says: a target drops out only if its job says that
    it is not built, which makes the run red, and a job names outputs only where the plan could not.
    """
    planned = {target["attr"]: target for target in plan["targets"]}
    for attr, target in planned.items():
        outcome = told.get(attr, {"state": "built", "outputs": {}})
        if target["state"] in ("cached", "upstream"):
            yield attr, target["outputs"], False
        elif target["state"] in ("build", "elsewhere") and outcome["state"] == "built":
            named = outcome["outputs"]
            known = {name: path or named.get(name) for name, path in target["outputs"].items()}
            yield attr, known or named, True
    for attr, outcome in told.items():
        if attr not in planned and outcome["state"] == "built":
            yield attr, outcome["outputs"], True


def _verify(demanded: list[tuple[str, Any, bool]], store: Cache) -> bool:
    paths = {path: new for _, outputs, new in demanded for path in outputs.values() if path}
    client, token = Client(), variable("READ_TOKEN")
    found = cache.look_up(client, store, paths, token=token)
    late = [path for path, said in found.verdicts.items() if paths[path] and said[0] == "missing"]
    if late:
        wait = ROUNDS * cache.pause()
        again = cache.look_up(client, store, late, token=token, wait=wait)
        found.verdicts.update(again.verdicts)
    rows = [report.rows(attr, outputs, found.verdicts) for attr, outputs, _ in demanded]
    return report.prove(store, found, chain.from_iterable(rows))
