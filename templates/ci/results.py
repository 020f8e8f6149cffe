"""What a build job says of its targets. It ran the repository's code: only its shape is trusted, and only for its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cache import STORE_PATH
from context import read_json
from process import Fault

LARGEST = 64 << 20  # bytes of a file
_STATES = ("built", "failed", "evaluation-failed", "not-started")
_SHAPE = {"attr": str, "check": str, "outputs": dict, "cause": str, "log": str}


def read(file: Path) -> dict[str, Any]:
    """Read a result as a job wrote it; targets of another shape are left out."""
    raw = read_json(file) if file.stat().st_size < LARGEST else None
    if not isinstance(raw, dict) or not isinstance(raw.get("targets"), list):
        raise Fault(f"the result {file.name} cannot be read", "Verify")
    return {**raw, "targets": [target for target in raw["targets"] if _fits(target)]}


def _fits(target: Any) -> bool:
    return (
        isinstance(target, dict)
        and target.get("state") in _STATES
        and all(isinstance(target.get(name), kind) for name, kind in _SHAPE.items())
        and all(path is None or is_path(path) for path in target["outputs"].values())
    )


def is_path(value: Any) -> bool:
    """Say whether it is a store path."""
    return isinstance(value, str) and bool(STORE_PATH.fullmatch(value))


def collect(plan: dict[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """Read the results of a run by attribute, only those that the plan gave to the job that tells; `pushed` says whether it is."""
    planned = {target["attr"] for target in plan["targets"]}
    told = {}
    for entry in plan["entries"]:
        name, mine = f"{entry['id']}.json", {".".join(path) for path in entry["targets"]}
        # Artifacts lie in a folder each; a single one may lie flat.
        files = [folder / f"garnix2gha-result-{entry['id']}" / name, folder / name]
        for file in (file for file in files if file.is_file() and not file.is_symlink()):
            result = read(file)
            for target in result["targets"] if result.get("entry") == entry["id"] else ():
                attr, here = target["attr"], target.get("system") == entry["system"]
                if attr in mine or (entry.get("rules") and here and attr not in planned):
                    told[attr] = {**target, "pushed": result.get("pushed") is True}
    return told
