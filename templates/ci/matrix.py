"""Deals what is left to build to jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import text
from context import Model
from evaluate import Target
from process import Fault

JOBS = 256  # that GitHub takes in one matrix
_LARGEST = 400_000  # characters: the outputs of a job may have a megabyte, in UTF-16
_ORDER = ["x86_64-linux", "i686-linux", "aarch64-linux", "aarch64-darwin", "x86_64-darwin"]

Group = list[Target]  # of one derivation; one whose derivation is not known is alone


def entries(
    model: Model, targets: Sequence[Target], unlisted: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the entries of plan.json for targets, and for systems that must be listed on their runner."""
    groups: dict[str, Group] = {}
    for target in targets:
        if target.state in ("build", "elsewhere"):
            groups.setdefault(target.drv or target.attr, []).append(target)
    systems: dict[str, list[Group]] = {}
    for group in groups.values():
        systems.setdefault(group[0].system or "", []).append(group)
    single = model.get("granularity", "system") == "target"
    # What else is known of a system that is listed there is built along, unless each target has its job.
    there = {system: [] if single else systems.pop(system, []) for system in unlisted}
    shards = {} if single else model.get("shards", {})
    wished = {
        system: len(dealt) if single else max(1, min(shards.get(system, 1), len(dealt)))
        for system, dealt in systems.items()
    }
    made = [
        _entry(system, name, dealt)
        for system, number in _within(wished, JOBS - len(there)).items()
        for name, dealt in _deal(system, systems[system], number, single)
    ]
    made += [
        {**_entry(system, f"{system} (listed there)", dealt), "rules": True}
        for system, dealt in there.items()
    ]
    made.sort(key=lambda entry: _rank(entry["system"]))
    for number, entry in enumerate(made, 1):
        entry["id"] = f"{re.sub('[^A-Za-z0-9_-]', '_', entry['system'])}-{number}"
        entry["runner"] = model.get("runners", {})[entry["system"]]
    return made


def _entry(system: str, name: str, groups: Sequence[Group]) -> dict[str, Any]:
    targets = [target.path for group in groups for target in group]
    return {"system": system, "name": name, "targets": targets}


def _within(wished: Mapping[str, int], room: int) -> Mapping[str, int]:
    """Return how many jobs each system gets: fewer than it wishes where all of them would be too many."""
    total, share = sum(wished.values()), room - len(wished)
    if total <= room:
        return wished
    return {system: max(1, number * share // total) for system, number in wished.items()}


def _deal(
    system: str, groups: list[Group], number: int, single: bool
) -> list[tuple[str, list[Group]]]:
    """Deal groups out in turn, to jobs with names."""
    jobs = []
    for index in range(number):
        dealt = groups[index::number]
        name = system if number == 1 else f"{system} ({index + 1}/{number})"
        if single and len(dealt) == 1:
            name = text.plain(dealt[0][0].check).replace("\n", " ")[:150]
        jobs.append((name, dealt))
    return jobs


def _rank(system: str) -> int:
    return _ORDER.index(system) if system in _ORDER else len(_ORDER)


def matrix(made: Sequence[Mapping[str, Any]]) -> str:
    """Return the matrix as a step's output."""
    rows = [{key: entry[key] for key in ("id", "name", "system", "runner")} for entry in made]
    value = json.dumps(rows, ensure_ascii=False)
    if len(value) > _LARGEST:
        raise Fault("the matrix is larger than a job may hand on")
    return value
