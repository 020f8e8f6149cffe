"""Plans a run: which targets it builds, on which runners, and whether it pushes."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import cache
import decision
import evaluate
import report
import text
from context import PROGRAMS, Event, Model, output, work, write_json
from evaluate import Target

TO_BUILD = ("build", "elsewhere")  # states of what is to be built
JOBS = 256  # that GitHub takes in one matrix
_ORDER = ["x86_64-linux", "i686-linux", "aarch64-linux", "aarch64-darwin", "x86_64-darwin"]

Entry = dict[str, Any]  # of plan.json


def main(_arguments: list[str]) -> int:
    event, model = Event(), Model()
    surveyed, facts = evaluate.survey(event, model)
    _, found = cache.look_up(model.cache, [target.outputs for target in surveyed])
    targets = [one._replace(state=_state(one, found, model["runners"])) for one in surveyed]
    jobs = entries(model, targets)
    push, level, message = decision.decide(event, model, facts)
    stale = {"fail": "error", "warn": "warning", "off": ""}[model.get("stale", "fail")]
    said = [(stale, stale and _outdated(model)), (level, message)]
    notes = [report.Note(level, "Nix Build Cache", what) for level, what in said if what]
    rows = [_row(target) for target in targets]
    bad = sum(row.state not in report.GOOD for row in rows)
    faults = [note.message for note in notes if note.level == "error"]
    if bad:
        faults.append(f"{text.count(bad, 'target')} cannot be built anywhere; the plan names them")
    plan = {
        "head": event.head,
        "branch": event.branch,
        "push": push,
        "faults": faults,
        "cache": facts,
        "targets": [target._asdict() for target in targets],
        "entries": jobs,
    }
    # Beside it the programs and the model, for the other jobs.
    folder = work() / "plan"
    shutil.copytree(PROGRAMS, folder / "ci", dirs_exist_ok=True)
    shutil.copy(PROGRAMS.parent / "targets.json", folder)
    write_json(folder / "plan.json", plan)
    output("matrix", matrix(jobs))
    output("push", "true" if push else "false")
    todo = sum(target.state in TO_BUILD for target in targets)
    there = f"{len(rows) - todo - bad} already there, {bad} cannot be built"
    line = f"{todo} to build in {text.count(len(jobs), 'job')}, {there}"
    report.tell("Plan", line, notes, rows)
    return 0


def _row(target: Target) -> report.Row:
    what, fault = target.system or "", ""
    if target.state == "elsewhere":
        what += ", evaluated on its runner: what it imports is not in the cache"
    elif target.state == "failed":
        what = fault = target.error
    elif target.state == "no-runner":
        fault = f"needs a runner for {target.system}, and none is configured"
    return report.Row(target.state, target.attr, what, fault)


def _state(target: Target, there: Mapping[str, cache.Verdict], runners: Mapping[str, Any]) -> str:
    if target.state == "failed":
        return "failed"
    unknown = cache.Verdict("unknown")
    found = {there.get(path or "", unknown).state for path in target.outputs.values()}
    if found == {"upstream"}:
        return "upstream"
    if found and found <= {"upstream", "in-cache"}:
        return "cached"
    return target.state or "build" if target.system in runners else "no-runner"


def entries(model: Model, targets: Sequence[Target]) -> list[Entry]:
    """Return the jobs that build; one that has rules lists its system's targets itself."""
    systems: dict[str, dict[str, list[Target]]] = {}  # and derivations; an unknown one is alone
    for target in targets:
        if target.state in TO_BUILD:
            groups = systems.setdefault(target.system or "", {})
            groups.setdefault(target.drv or target.attr, []).append(target)
    single, shards = model.get("granularity") == "target", model.get("shards", {})
    wish = {s: len(g) if single else min(len(g), shards.get(s, 1)) for s, g in systems.items()}
    share = min(1, (JOBS - len(wish)) / max(1, sum(wish.values())))
    made: list[Entry] = []
    for system in sorted(wish, key=lambda system: [*_ORDER, system].index(system)):
        number, apart = max(1, int(wish[system] * share)), list(systems[system].values())
        for index in range(number):
            dealt = [target for group in apart[index::number] for target in group]
            rules = not all(target.path for target in dealt)
            name = system if number == 1 else f"{system} ({index + 1}/{number})"
            if rules:
                name = f"{system} (listed there)"
            elif single and number == len(apart):
                name = text.line(dealt[0].attr)[:150]
            entry = {
                "id": f"{re.sub('[^A-Za-z0-9_-]', '_', system)}-{len(made) + 1}",
                "name": name,
                "system": system,
                "runner": model["runners"][system],
                "rules": rules,
                "targets": [target.path for target in dealt if target.path],
            }
            made.append(entry)
    return made


def matrix(jobs: Sequence[Entry]) -> str:
    rows = [{key: job[key] for key in ("id", "name", "runner")} for job in jobs]
    return json.dumps(rows, ensure_ascii=False)


def digest(name: str, content: bytes) -> str:
    """Return the digest of an input without blank lines, comments and line ends; empty for none."""
    comments = (b"#", b"//") if name.endswith((".jsonnet", ".libsonnet")) else (b"#",)
    lines = content.replace(b"\r", b"").split(b"\n")
    kept = [line for line in lines if line.strip() and not line.strip().startswith(comments)]
    return hashlib.sha256(b"\n".join([*kept, b""])).hexdigest()[:32] if kept else ""


def _outdated(model: Model) -> str:
    """Return what to say of inputs that changed since the workflows were generated, if any did."""
    root = PROGRAMS.parents[2]  # of the event's commit
    changed = []
    for name, was in model.get("inputs", {}).items():
        if digest(name, (root / name).read_bytes() if (root / name).is_file() else b"") != was:
            changed.append(name)
    what = f"{', '.join(changed)}: not what these workflows were generated from"
    return f"{what}. Run garnix2gha generate and commit the result." if changed else ""
