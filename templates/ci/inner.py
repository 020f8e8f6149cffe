"""Evaluates and builds an entry's targets, without secrets, and leaves the result in a file."""

import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import context
import evaluate
import process
from cache import STORE_PATH
from flake import Flake
from nix import AWAY, Reader, command

GROUP = 2000  # arguments of one process; macOS takes a megabyte of them
ROUNDS = 10
CULPRITS = 100  # of whose dependents nix is asked
LARGEST = 64 << 20  # bytes of a result
_LATE = "there was no time left to build it"
_STATES = ("built", "failed", "evaluation-failed", "not-started")
_SHAPE = {"attr": str, "check": str, "outputs": dict, "cause": str, "log": str}


def place(entry: str) -> Path:
    """Return where an entry's result lies; a file beside it tells that the work on it began."""
    return context.work() / "inner" / f"{entry}.json"


def read(file: Path) -> dict[str, Any]:
    """Read a result, whose shape foreign code may have spoiled; such targets are left out."""
    raw = context.read_json(file) if file.stat().st_size < LARGEST else None
    if isinstance(raw, dict) and "fault" in raw:
        raise process.Fault(str(raw["fault"]))
    if not isinstance(raw, dict) or not isinstance(raw.get("targets"), list):
        raise process.Fault(f"the result {file.name} cannot be read", "Verify")
    return {**raw, "targets": [target for target in raw["targets"] if _fits(target)]}


def _fits(target: Any) -> bool:
    return (
        isinstance(target, dict)
        and target.get("state") in _STATES
        and all(isinstance(target.get(name), kind) for name, kind in _SHAPE.items())
        and all(path is None or is_path(path) for path in target["outputs"].values())
    )


def is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(STORE_PATH.fullmatch(value))


def main(arguments: list[str]) -> int:
    """Build an entry of the plan until a time of `time.time`; 0 when all of it is built."""
    name, stop = arguments
    place(name).with_suffix(".started").touch()
    plan = context.read_json(context.PROGRAMS.parent / "plan.json")
    entry = next(entry for entry in plan["entries"] if entry["id"] == name)
    work, model = Work(float(stop)), context.Model()
    try:
        flake = Flake(model, plan["head"], builds=True, settings=lambda: os.environ, log=work.each)
        targets = evaluate.evaluate(flake, evaluate.of_entry(flake, model, plan["branch"], entry))
    except process.Fault as fault:
        context.write_json(place(name), {"fault": str(fault)})
        return 1
    work.realise({target.drv for target in targets if target.drv})
    result = {"entry": name, "pushed": False, **work.result(targets)}
    context.write_json(place(name), result)
    return 0 if all(target["state"] == "built" for target in result["targets"]) else 1


class Work:
    def __init__(self, stop: float) -> None:
        self._stop = stop
        self._log = Reader()
        self._late = False
        self._stopped: dict[str, str] = {}  # derivation -> the one whose failure stops it

    def each(self, line: str) -> None:
        self._log.feed(line)
        print(line, flush=True)

    def _over(self) -> bool:
        return time.time() > self._stop

    def realise(self, wanted: set[str]) -> None:
        drvs = sorted(wanted)
        for _ in range(ROUNDS):
            before = set(self._log.failures)
            for call in _calls("--realise", "--keep-going", items=drvs):
                process.stream(call, self.each, over=self._over, out=lambda line: None)
            self._late = self._over()
            for culprit in list(self._log.failures)[:CULPRITS]:
                call = command("nix-store", "--query", "--referrers-closure", culprit)
                self._stopped.update(dict.fromkeys(process.run(call).stdout.split(), culprit))
            self._stopped |= {culprit: culprit for culprit in self._log.failures}
            new = [why for drv, why in self._log.failures.items() if drv not in before]
            rest = [drv for drv in drvs if drv not in self._stopped]
            # Old nix gives up on one that this machine cannot build: go on without what failed.
            if self._late or AWAY not in new or not rest or rest == drvs:
                return
            drvs = rest

    def result(self, targets: list[evaluate.Target]) -> dict[str, Any]:
        outputs = {target.attr: _resolved(target) for target in targets}
        wanted = {path for paths in outputs.values() for path in paths.values() if path}
        made = {path for drv in self._log.built for path in outputs_of(drv)} - wanted
        gone: set[str] = set()
        for call in _calls("--check-validity", "--print-invalid", items=wanted | made):
            gone.update(process.run(call).stdout.split())
        told: list[dict[str, Any]] = []
        logs: dict[str, str] = {}  # derivation -> the end of its log
        for target in targets:
            paths = outputs[target.attr]
            state, cause, log = "built", "", ""
            if not target.drv:
                state, cause = "evaluation-failed", target.error or ""
            elif not paths or not all(path and path not in gone for path in paths.values()):
                state, cause, log = self._why(target.drv, logs)
            what = {"outputs": paths, "state": state, "cause": cause, "log": log}
            told.append({**target._asdict(), **what})
        facts = {"diskFull": self._log.disk_full, "late": self._late}
        return {**facts, "made": sorted(made - gone), "targets": told}

    def _why(self, drv: str, logs: dict[str, str]) -> tuple[str, str, str]:
        """Return the state of a derivation that is not built, the cause, and the end of a log."""
        culprit = self._stopped.get(drv, drv)
        if culprit not in self._log.failures and self._late:
            return "not-started", _LATE, ""
        reason = self._log.failures.get(culprit, "not built; see the log")
        if culprit != drv:
            reason = f"dependency {culprit[44:].removesuffix('.drv')}: {reason}"
        if self._log.disk_full:
            reason = f"No space left on device ({reason})"
        if culprit not in logs:
            tail: deque[str] = deque(maxlen=20)
            code = process.stream(command("nix-store", "--read-log", culprit), tail.append)
            lines = self._log.tail(culprit) if code or not tail else [*tail, ""]
            logs[culprit] = "\n".join(lines)[-8000:]
        return "failed", reason[:500], logs[culprit]


def _calls(*words: str, items: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(items)
    for start in range(0, len(ordered), GROUP):
        yield command("nix-store", *words, *ordered[start : start + GROUP])


def outputs_of(drv: str) -> list[str]:
    """Return the output paths that a derivation names; a content-addressed one names none."""
    try:
        with open(drv, encoding="utf-8", errors="replace") as file:
            head = file.read(65536)
    except OSError:
        return []
    outputs = re.match(r'Derive\(\[((?:\("[^"]*","[^"]*","[^"]*","[^"]*"\),?)+)\]', head)
    return re.findall(r'\("[^"]*","(/nix/store/[^"]+)"', outputs[1]) if outputs else []


def _resolved(target: evaluate.Target) -> dict[str, str | None]:
    """Return a target's outputs with the paths that content-addressed ones went to."""
    if not target.drv or all(target.outputs.values()):
        return target.outputs
    # Old nix does not answer --query for these; realising without a job builds nothing.
    call = command("nix-store", "--realise", "--max-jobs", "0", "--option", "builders", "")
    paths = {path[44:]: path for path in process.run([*call, target.drv]).stdout.split()}
    name = target.drv[44:].removesuffix(".drv")
    return {
        output: path or paths.get(name if output == "out" else f"{name}-{output}")
        for output, path in target.outputs.items()
    }
