"""Builds an entry of the plan and pushes what is finished, whatever fails and however late it is.

The secrets that push are in the environment of this program and of the client alone. What runs the
repository's code is `inner`, started without them, where possible by the client, which then pushes.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import inner
import nix
import process
import push
import report
import text
from context import PROGRAMS, Event, Model, read_json, variable, work, write_json

# Seconds: until a client has started what it is to watch; until the inner program has stopped when
# building is over; and until all is pushed then, which leaves two minutes of the job's last thirty.
START, GRACE, PUSHING = 120, 120, 28 * 60


def main(_arguments: list[str]) -> int:
    """Build the entry ENTRY; 0 when all of it is built and, where this run pushes, pushed."""
    plan, model, event = read_json(PROGRAMS.parent / "plan.json"), Model(), Event()
    (entry,) = (one for one in plan["entries"] if one["id"] == variable("ENTRY"))
    minutes = model["minutes"]["build"]
    stop = event.started + minutes * 60
    notes: list[report.Note] = []
    with tempfile.TemporaryDirectory(dir=work()) as folder:
        env = nix.environment(model, plan["cache"], folder)
        try:
            tool = push.tool(model.cache, env, Path(folder)) if plan["push"] else None
        except process.Fault as fault:
            tool, notes = None, [report.Note("error", fault.title, str(fault))]
        result = _build(entry["id"], stop, env, tool)
        if result["late"]:
            limit = f"building stopped {minutes} minutes after the job's start"
            advice = "spread the targets over more jobs (shards), or raise timeouts.build"
            notes.append(report.Note("error", "time is up", f"{limit}: {advice}"))
        # What was built on the way is finished, too.
        paths = [path for path in result["finished"] if inner.is_path(path)]
        if tool and paths:
            cause = push.push(tool, paths, stop + PUSHING)
            notes += [report.Note("error", "Push", cause)] if cause else []
            result["pushed"] = not cause
    write_json(work() / "result" / f"{entry['id']}.json", result)
    return 0 if _tell(entry, result, notes) and not notes else 1


def _tell(entry: dict[str, Any], result: dict[str, Any], notes: list[report.Note]) -> bool:
    """Tell of a result, and say whether everything is built."""
    targets = result["targets"]
    failed = sum(target["state"] != "built" for target in targets)
    if failed and result["diskFull"]:
        advice = "name a larger runner, or spread the targets over more jobs (shards)."
        if entry["system"].endswith("-linux"):
            advice = f"set disk-space: free in garnix2gha's settings, or {advice}"
        notes = [report.Note("error", "disk full", f"No space left on device: {advice}"), *notes]
    rows = []
    for target in targets:
        what = "" if target["state"] == "evaluation-failed" else "is not built: "
        fault = f"{what}{target['cause']}\n{target['log'][-2500:]}".strip()
        said = target["cause"] or text.count(len(target["outputs"]), "output")
        rows.append(report.Row(target["state"], target["attr"], said, fault))
    pushed = "pushed" if result["pushed"] else "not pushed"
    line = f"{len(targets) - failed} built, {failed} not, {pushed}"
    return report.tell(entry["name"], line, notes, rows)


def _build(entry: str, stop: float, env: dict[str, str], tool: push.Tool | None) -> dict[str, Any]:
    call = [sys.executable, "-IBu", str(PROGRAMS), "inner", entry, str(stop)]
    found = inner.place(entry)
    if tool and tool.watch:
        unset = [word for name in process.SECRETS for word in ("-u", name)]
        trouble = _run([*tool.watch, "env", *unset, *call], tool.env, found, stop)
        if not trouble:
            return inner.read(found)
        _warn(f"{trouble}; building without pushing meanwhile")
    if trouble := _run(call, env, found, stop):
        raise process.Fault(f"the evaluation or the build {trouble}; see the log")
    return inner.read(found)


def _run(command: list[str], env: dict[str, str], found: Path, stop: float) -> str:
    """Run the inner program, alone or by a client. Return why it left no result."""
    late = process.after(min(START, push.LIMIT))
    found.unlink(missing_ok=True)

    def over() -> bool:
        if not found.exists():
            return late()
        file = found.stat()
        # A client may not wait for ever when the work is done.
        end = min(file.st_mtime + push.LIMIT, stop + PUSHING) if file.st_size else stop + GRACE
        return time.time() > end

    code, _ = process.show(command, env=env, over=over)
    if not found.exists():
        return "did not start"
    if code > 128 or not found.stat().st_size:
        return "had no time left" if code == 124 else f"ended early (exit code {code})"
    if code == 124:
        _warn("did not end; what is finished is pushed now")
    return ""


def _warn(what: str) -> None:
    text.annotate("warning", "Push", f"the client that pushes what is being built {what}")
