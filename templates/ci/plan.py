"""Plans a run: which targets it builds, on which runners, and whether it pushes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cache
import context
import decision
import evaluate
import matrix
import plan_report
import stale
import text
from context import PROGRAMS, Event, Model
from evaluate import Target
from web import Client


def main(arguments: list[str]) -> int:
    """Plan, and hand the plan and these programs on."""
    event, model, client = Event(), Model(), Client()
    outdated = stale.message(model)
    survey = evaluate.survey(event, model, client)
    targets = _decided(client, model, survey.targets)
    runners = model.get("runners", {})
    there = [system for system in survey.unlisted if system in runners]
    stranded = [system for system in survey.unlisted if system not in runners]
    entries = matrix.entries(model, targets, there)
    chosen = decision.decide(event, model, survey.cache)
    failed = [target for target in targets if target.state in plan_report.BAD]
    _hand_on(
        {
            "version": 1,
            "head": event.head,
            "branch": event.branch,
            "push": chosen.push,
            "blocked": chosen.level == "error",
            "failed": len(failed) + len(stranded),
            "stale": outdated if model.get("stale", "fail") == "fail" else "",
            "cache": survey.cache,
            "targets": [target._asdict() for target in targets],
            "entries": entries,
        }
    )
    context.output("matrix", matrix.matrix(entries))
    context.output("push", "true" if chosen.push else "false")
    level = {"fail": "error", "warn": "warning", "off": ""}[model.get("stale", "fail")]
    told = [(level, outdated if level else ""), (chosen.level, chosen.message)]
    for level, message in told:
        if level and message:
            text.annotate(level, "Nix Build Cache", message)
    said = [message for _, message in told if message]
    plan_report.annotate(targets, stranded)
    if not chosen.push:
        said.append(f"Nothing is pushed: {chosen.reason}.")
    context.summarize(plan_report.summary(targets, len(entries), there, said))
    print(plan_report.line(targets, len(entries)))
    print("what is built will be pushed" if chosen.push else "nothing will be pushed")
    return 0


def _decided(client: Client, model: Model, targets: list[Target]) -> list[Target]:
    """Return the targets with what is to be done about each."""
    paths = [path for target in targets for path in target.outputs.values() if path]
    token = context.variable("READ_TOKEN")
    found = cache.look_up(client, model.cache, paths, token=token).verdicts
    there = {path: verdict.verdict for path, verdict in found.items()}
    runners = model.get("runners", {})
    return [target._replace(state=_state(target, there, runners)) for target in targets]


def _state(target: Target, there: Mapping[str, str], runners: Mapping[str, Any]) -> str:
    if target.state == "failed":
        return "failed"
    found = {there.get(path or "", "unknown") for path in target.outputs.values()}
    if found == {"upstream"}:
        return "upstream"
    if found and found <= {"upstream", "in-cache"}:
        return "cached"
    return target.state or "build" if target.system in runners else "no-runner"


def _hand_on(plan: Mapping[str, Any]) -> None:
    """Write the plan beside the programs and the model that the other jobs use."""
    folder = context.work() / "plan"
    (folder / "ci").mkdir(parents=True, exist_ok=True)
    for file in PROGRAMS.iterdir():
        if file.is_file():
            (folder / "ci" / file.name).write_bytes(file.read_bytes())
    (folder / "targets.json").write_bytes((PROGRAMS.parent / "targets.json").read_bytes())
    context.write_json(folder / "plan.json", plan)
