"""Builds an entry of the plan and pushes what is finished, whatever fails and however late it is.

The secrets that push are in the environment of this program and of the client alone. What runs the
repository's code is the program `inner`, started without them; with Cachix its client starts it and
pushes meanwhile.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
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
    entry = next((one for one in plan["entries"] if one["id"] == variable("ENTRY")), None)
    if not entry:
        raise process.Fault("the plan has no such entry")
    token = "" if event.is_pull_request else variable("READ_TOKEN")
    minutes = int(model.get("minutes", {}).get("build", 330))
    stop = event.started + minutes * 60
    faults: list[tuple[str, str]] = []
    work().mkdir(parents=True, exist_ok=True)
    reading = nix.credentials(model.cache, token)
    with reading as netrc, tempfile.TemporaryDirectory(dir=work()) as folder:
        env = nix.environment(model, plan["cache"], netrc)
        tool = None
        if plan["push"]:
            try:
                tool = push.tool(model.cache, env, Path(folder))
            except process.Fault as fault:
                faults.append((fault.title, str(fault)))
        result = _build(entry["id"], stop, env, tool)
        if result["late"]:
            limit = f"building stopped {minutes} minutes after the job's start"
            advice = "spread the targets over more jobs (shards), or raise timeouts.build"
            faults.append(("time is up", f"{limit}: {advice}"))
        cause = _push(result, tool, stop + PUSHING)
        faults += [("Push", cause)] if cause else []
    write_json(work() / "result" / f"{entry['id']}.json", result)
    report.tell(result, entry["system"], faults)
    return 1 if faults or any(one["state"] != "built" for one in result["targets"]) else 0


def _build(
    entry: str, stop: float, env: Mapping[str, str], tool: push.Tool | None
) -> dict[str, Any]:
    call = [sys.executable, "-IBu", str(PROGRAMS), "inner", entry, str(stop)]
    found = inner.place(entry)
    code, trouble = 0, "none"
    if tool and tool.watch:
        unset = [word for name in process.SECRETS for word in ("-u", name)]
        code = _run([*tool.watch, "env", *unset, *call], tool.env, found, stop)
        trouble = _trouble(code, found)
        if trouble:
            message = f"the client that pushes what is being built {trouble}"
            text.annotate("warning", "Push", message)
    if trouble and not (code == 124 and found.exists()):
        code = _run(call, env, found, stop)
    if not found.exists():
        why = "there was no time left" if code == 124 else f"exit code {code}; see the log"
        raise process.Fault(f"the evaluation or the build ended early: {why}")
    return inner.read(found)


def _run(command: list[str], env: Mapping[str, str], found: Path, stop: float) -> int:
    """Run the inner program, alone or with a client around it, which may not wait for ever."""
    began, limit, mark = time.time(), push.limit(), found.with_suffix(".started")
    found.parent.mkdir(exist_ok=True)
    for file in (found, mark):
        file.unlink(missing_ok=True)

    def over() -> bool:
        end = stop + GRACE
        if not mark.exists():
            end = began + min(START, limit)
        elif found.exists():
            end = min(found.stat().st_mtime + limit, stop + PUSHING)
        return time.time() > end

    with process.foreign_output() as show:
        return process.stream(command, show, env=env, over=over)


def _trouble(code: int, found: Path) -> str:
    """Return what went wrong with the client around the inner program, if anything did."""
    if not found.with_suffix(".started").exists():
        return "did not start; building without pushing meanwhile"
    if code == 124:
        return "did not end; what is finished is pushed now" if found.exists() else ""
    if code > 128 or not found.exists():
        return f"ended early (exit code {code}); building without pushing meanwhile"
    return ""


def _push(result: dict[str, Any], tool: push.Tool | None, until: float) -> str:
    """Push what is finished, and what else was built here; return why that failed."""
    built = [target for target in result["targets"] if target["state"] == "built"]
    paths = [path for target in built for path in target["outputs"].values()] + result["made"]
    if not tool:
        return ""
    if not paths:
        print("nothing was built, so there is nothing to push")
        return ""
    cause = push.push(tool, filter(inner.is_path, paths), until)
    result["pushed"] = not cause
    return cause
