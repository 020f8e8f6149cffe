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
from context import PROGRAMS, Event, Model, output, summarize, variable, work, write_json
from evaluate import Target
from process import Fault
from web import Client

JOBS = 256  # that GitHub takes in one matrix
_LARGEST = 400_000  # characters: the outputs of a job may have a megabyte, in UTF-16
_ORDER = ["x86_64-linux", "i686-linux", "aarch64-linux", "aarch64-darwin", "x86_64-darwin"]

Group = list[Target]  # of one derivation; one whose derivation is not known is alone
Entry = dict[str, Any]  # of plan.json


def main(_arguments: list[str]) -> int:
    event, model, client = Event(), Model(), Client()
    survey = evaluate.survey(event, model, client)
    runners, token = model.get("runners", {}), variable("READ_TOKEN")
    paths = [path for target in survey.targets for path in target.outputs.values() if path]
    found = cache.look_up(client, model.cache, paths, token=token).verdicts
    known = {path: verdict.verdict for path, verdict in found.items()}
    targets = [one._replace(state=_state(one, known, runners)) for one in survey.targets]
    there = [system for system in survey.unlisted if system in runners]
    stranded = [system for system in survey.unlisted if system not in runners]
    jobs = entries(model, targets, there)
    chosen = decision.decide(event, model, survey.cache)
    stale = {"fail": "error", "warn": "warning", "off": ""}[model.get("stale", "fail")]
    outdated = _outdated(model) if stale else ""
    plan = {
        "version": 1,
        "head": event.head,
        "branch": event.branch,
        "push": chosen.push,
        "blocked": chosen.level == "error",
        "failed": sum(target.state in report.BAD for target in targets) + len(stranded),
        "stale": outdated if stale == "error" else "",
        "cache": survey.cache,
        "targets": [target._asdict() for target in targets],
        "entries": jobs,
    }
    # Beside it the programs and the model, for the other jobs.
    folder = work() / "plan"
    shutil.copytree(PROGRAMS, folder / "ci", dirs_exist_ok=True)
    shutil.copy(PROGRAMS.parent / "targets.json", folder)
    write_json(folder / "plan.json", plan)
    output("matrix", matrix(jobs))
    output("push", "true" if chosen.push else "false")
    said = [(stale, outdated), (chosen.level, chosen.message)]
    for level, message in said:
        if level and message:
            text.annotate(level, "Nix Build Cache", message)
    report.blame(targets, stranded)
    if not chosen.push:
        said.append(("", f"Nothing is pushed: {chosen.reason}."))
    messages = [message for _, message in said if message]
    summarize(report.summary(targets, len(jobs), there, messages))
    print(report.line(targets, len(jobs)))
    print("what is built will be pushed" if chosen.push else "nothing will be pushed")
    return 0


def _state(target: Target, there: Mapping[str, str], runners: Mapping[str, Any]) -> str:
    if target.state == "failed":
        return "failed"
    found = {there.get(path or "", "unknown") for path in target.outputs.values()}
    if found == {"upstream"}:
        return "upstream"
    if found and found <= {"upstream", "in-cache"}:
        return "cached"
    return target.state or "build" if target.system in runners else "no-runner"


def entries(model: Model, targets: Sequence[Target], unlisted: Sequence[str]) -> list[Entry]:
    """Return the entries for targets, and for systems that must be listed on their runner."""
    groups: dict[str, Group] = {}
    for target in targets:
        if target.state in ("build", "elsewhere"):
            groups.setdefault(target.drv or target.attr, []).append(target)
    systems: dict[str, list[Group]] = {}
    for group in groups.values():
        systems.setdefault(group[0].system or "", []).append(group)
    single = model.get("granularity", "system") == "target"
    # What else is known of a system that is listed there is built along, unless each has its job.
    there = {system: [] if single else systems.pop(system, []) for system in unlisted}
    shards = {} if single else model.get("shards", {})
    wished = {
        system: len(dealt) if single else max(1, min(shards.get(system, 1), len(dealt)))
        for system, dealt in systems.items()
    }
    made: list[Entry] = []
    for system, number in _within(wished, JOBS - len(there)).items():
        for index in range(number):
            dealt = systems[system][index::number]
            name = system if number == 1 else f"{system} ({index + 1}/{number})"
            if single and len(dealt) == 1:
                name = text.line(dealt[0][0].check)[:150]
            made.append({"system": system, "name": name, "groups": dealt})
    for system, dealt in there.items():
        name = f"{system} (listed there)"
        made.append({"system": system, "name": name, "groups": dealt, "rules": True})
    made.sort(key=lambda entry: [*_ORDER, entry["system"]].index(entry["system"]))
    for number, entry in enumerate(made, 1):
        entry["id"] = f"{re.sub('[^A-Za-z0-9_-]', '_', entry['system'])}-{number}"
        entry["runner"] = model.get("runners", {})[entry["system"]]
        entry["targets"] = [target.path for group in entry.pop("groups") for target in group]
    return made


def _within(wished: Mapping[str, int], room: int) -> Mapping[str, int]:
    """Return how many jobs each system gets: fewer than it wishes where all would be too many."""
    total, share = sum(wished.values()), room - len(wished)
    if total <= room:
        return wished
    return {system: max(1, number * share // total) for system, number in wished.items()}


def matrix(made: Sequence[Entry]) -> str:
    rows = [{key: entry[key] for key in ("id", "name", "system", "runner")} for entry in made]
    value = json.dumps(rows, ensure_ascii=False)
    if len(value) > _LARGEST:
        raise Fault("the matrix is larger than a job may hand on")
    return value


def digest(name: str, content: bytes) -> str:
    """Return the digest of an input without blank lines, comments and line ends; empty for none."""
    comments = (b"#", b"//") if name.endswith((".jsonnet", ".libsonnet")) else (b"#",)
    lines = content.replace(b"\r", b"").split(b"\n")
    kept = [line for line in lines if line.strip() and not line.strip().startswith(comments)]
    return hashlib.sha256(b"\n".join([*kept, b""])).hexdigest()[:32] if kept else ""


def _outdated(model: Model) -> str:
    """Return what to say of inputs that changed since the workflows were generated, if any did."""
    # The programs lie in .github/garnix2gha/ci of the event's commit.
    root = PROGRAMS.parents[2]
    changed = []
    for name, was in model.get("inputs", {}).items():
        if digest(name, (root / name).read_bytes() if (root / name).is_file() else b"") != was:
            changed.append(name)
    verb = "is" if len(changed) == 1 else "are"
    what = f"{', '.join(changed)} {verb} not what these workflows were generated from"
    return f"{what}: run garnix2gha generate and commit the result" if changed else ""
