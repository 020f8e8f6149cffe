"""Evaluates and builds an entry's targets, without secrets, and leaves the result in a file."""

import os
import re
import time
from collections import deque
from pathlib import Path
from typing import Any

import context
import evaluate
import process
from cache import STORE_PATH
from flake import Flake
from nix import AWAY, Reader, command

_STATES = ("built", "failed", "evaluation-failed", "not-started")
_SHAPE = {"attr": str, "outputs": dict, "cause": str, "log": str}


def place(entry: str) -> Path:
    """Return where an entry's result lies; the file is empty while the work on it goes on."""
    return context.work() / f"inner-{entry}.json"


def read(file: Path) -> dict[str, Any]:
    """Read a result, whose shape foreign code may have spoiled; such targets are left out."""
    raw = context.read_json(file)
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
    """Build an entry of the plan until a time of `time.time`."""
    name, stop = arguments
    place(name).touch()
    plan, model = context.read_json(context.PROGRAMS.parent / "plan.json"), context.Model()
    entry = next(entry for entry in plan["entries"] if entry["id"] == name)
    work = Work(float(stop))
    result: dict[str, Any] = {"entry": name, "pushed": False}
    try:
        flake = Flake(model, plan["head"], dict(os.environ), work.each)
        paths = entry["targets"]
        if entry["rules"]:
            paths = paths + evaluate.select(flake, model, plan["branch"], only=entry["system"])[0]
        targets = evaluate.evaluate(flake, paths)
        work.realise({target.drv for target in targets if target.drv})
        result |= work.result(targets)
    except process.Fault as fault:
        result["fault"] = str(fault)
    context.write_json(place(name), result)
    return 0


class Work:
    def __init__(self, stop: float) -> None:
        self._over = process.after(stop - time.time())
        self._log = Reader()
        self._late = False
        self._stopped: dict[str, str] = {}  # derivation -> the one whose failure stops it
        self._ends: dict[str, str] = {}  # derivation -> the end of its log

    def each(self, line: str) -> None:
        self._log.feed(line)
        print(line, flush=True)

    def realise(self, rest: set[str]) -> None:
        """Build derivations, in rounds: old nix gives up on one that this machine cannot build."""
        for _ in range(10):
            for call in process.in_parts(command("nix-store", "--realise", "--keep-going"), rest):
                process.stream(call, self.each, over=self._over, out=lambda line: None)
            self._late = self._over()
            culprits = [drv for drv in self._log.failures if drv not in self._stopped]
            for culprit in culprits[:100]:  # nix takes a moment for each
                call = command("nix-store", "--query", "--referrers-closure", culprit)
                stopped = process.run(call).stdout.split()
                self._stopped |= dict.fromkeys([culprit, *stopped], culprit)
            rest = rest.difference(self._stopped)
            if self._late or AWAY not in map(self._log.failures.get, culprits) or not rest:
                return

    def result(self, targets: list[evaluate.Target]) -> dict[str, Any]:
        targets = [target._replace(outputs=_resolved(target)) for target in targets]
        wanted = {path for target in targets for path in target.outputs.values() if path}
        made = {path for drv in self._log.built for path in outputs_of(drv)}
        gone: set[str | None] = {None}
        check = command("nix-store", "--check-validity", "--print-invalid")
        for call in process.in_parts(check, wanted | made):
            ended = process.run(call)
            gone.update(call if ended.returncode else ended.stdout.split())
        told = []
        for target in targets:
            whole = bool(target.outputs) and not gone.intersection(target.outputs.values())
            state, cause, log = ("built", "", "") if whole else self._why(target)
            told.append({**target._asdict(), "state": state, "cause": cause, "log": log})
        known = {"diskFull": self._log.disk_full, "late": self._late, "targets": told}
        return {**known, "finished": sorted((wanted | made) - gone)}

    def _why(self, target: evaluate.Target) -> tuple[str, str, str]:
        """Return the state of a target that is not built, the cause, and the end of a log."""
        if not target.drv:
            return "evaluation-failed", target.error, ""
        culprit = self._stopped.get(target.drv, target.drv)
        if self._late and culprit not in self._log.failures:
            return "not-started", "there was no time left to build it", ""
        reason = self._log.failures.get(culprit, "not built; see the log")
        if culprit != target.drv:
            reason = f"dependency {culprit[44:].removesuffix('.drv')}: {reason}"
        if self._log.disk_full:
            reason = f"No space left on device ({reason})"
        if culprit not in self._ends:
            log: deque[str] = deque(maxlen=20)
            call = command("nix-store", "--read-log", culprit)
            process.stream(call, lambda line: None, out=log.append)
            self._ends[culprit] = "\n".join([*(log or self._log.tail(culprit)), ""])[-8000:]
        return "failed", reason[:500], self._ends[culprit]


def outputs_of(drv: str) -> list[str]:
    """Return the output paths that a derivation names; a content-addressed one names none."""
    file = Path(drv)
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    # Nothing but its outputs stands in fours there.
    return re.findall(r'\("[^"]*","(/nix/store/[^"]+)","[^"]*","[^"]*"\)', text)


def _resolved(target: evaluate.Target) -> dict[str, str | None]:
    """Return a target's outputs with the paths that content-addressed ones went to."""
    # Old nix does not answer --query for these; realising without a job builds nothing.
    call = command("nix-store", "--realise", max_jobs="0", builders="")
    return {
        output: path or process.run([*call, f"{target.drv}!{output}"]).stdout.strip() or None
        for output, path in target.outputs.items()
    }
