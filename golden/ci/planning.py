"""The job that plans: its programs lie in the checkout, beside the commit that is built."""

from __future__ import annotations

import json
import shutil
import unittest
from pathlib import Path
from typing import Any

from harness import DEFAULTS, PROGRAMS, PYTHON, End, Job
from loopback import CacheServer

RUNNERS = {
    "x86_64-linux": "ubuntu-24.04",
    "i686-linux": "ubuntu-24.04",
    "aarch64-linux": ["self-hosted", "arm"],
    "aarch64-darwin": "macos-26",
    "x86_64-darwin": "macos-26",
}
EVENT_COMMIT = Path(".garnix2gha")


def rules(*include: str, exclude: tuple[str, ...] = (), branch: str | None = None) -> list[dict]:
    """Return one build section, as targets.json spells it."""
    section: dict[str, Any] = {"include": list(include)}
    if exclude:
        section["exclude"] = list(exclude)
    if branch is not None:
        section["branch"] = branch
    return [section]


class PlanJob(Job):
    """A job that plans the flake in its checkout, on a push to main."""

    def __init__(self, test: unittest.TestCase) -> None:
        super().__init__(test)
        shutil.rmtree(self.path("plan"))
        self.there = self.checkout / EVENT_COMMIT / ".github" / "garnix2gha"
        shutil.copytree(
            PROGRAMS, self.there / "ci", ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
        self.programs = self.there / "ci"

    def model(self, **entries: Any) -> None:
        """Say what targets.json of the event's commit is."""
        self.entries = {**DEFAULTS, "runners": RUNNERS, **entries}

    def write_model(self) -> None:
        """Write targets.json of the event's commit."""
        (self.there / "targets.json").write_text(json.dumps(self.entries))

    def flake(self, outputs: str, **files: str) -> str:
        """Commit a flake and build its commit."""
        head = super().flake(outputs, **{".gitignore": f"/{EVENT_COMMIT}\n", **files})
        self.env["GITHUB_SHA"] = head
        return head

    def event(self, name: str, ref: str = "refs/heads/main", **payload: Any) -> None:
        """Say which event the run is about; what is built is still the last commit."""
        head = self.env.get("GITHUB_SHA")
        super().event(name, ref, **payload)
        if head:
            self.env["GITHUB_SHA"] = head

    def pull_request(
        self, branch: str = "topic", repo: dict[str, Any] | None = None, **payload: Any
    ) -> None:
        """Make the run one of a pull request, from a repository that is gone if none is given."""
        head = {"sha": self.env["GITHUB_SHA"], "ref": branch, "repo": repo}
        self.event("pull_request", "refs/pull/7/merge", pull_request={"head": head, **payload})

    def run(self, *arguments: str, programs: Path | None = None, **env: str) -> End:
        """Run a program as the plan's steps do."""
        self.write_model()
        return super().run(*arguments, programs=programs, **env)

    def planned(self, *, code: int = 0, **entries: Any) -> tuple[dict[str, Any], End]:
        """Plan with these entries in targets.json; return the plan, empty where there is none, and the step."""
        if entries:
            self.model(**entries)
        self.path("plan/plan.json").unlink(missing_ok=True)
        end = self.run("plan")
        self.test.assertEqual(end.code, code, end.log)
        there = self.path("plan/plan.json").exists()
        return (self.get("plan/plan.json") if there else {}), end

    def cache(self, **entries: Any) -> dict[str, Any]:
        """Return a cache that a server on loopback plays, as targets.json names it."""
        self.server = CacheServer(self.test, self.temp / "cache")
        return {
            "backend": "cachix",
            "name": "mine",
            "url": self.server.url,
            "publicKeys": [],
            **entries,
        }

    def evaluated(self, paths: list[list[str]] | None = None, **entry: Any) -> list[dict[str, Any]]:
        """Evaluate attributes, or an entry of a plan, as the job of their system does."""
        head = self.git("rev-parse", "HEAD").strip()
        request = {"head": head, "entry": {"targets": paths or [], **entry}}
        self.write_model()
        call = [PYTHON, "-IBc", _EVALUATE, str(self.programs), json.dumps(request)]
        ended = self.call(call)
        self.test.assertEqual(ended.returncode, 0, ended.stdout)
        found: list[dict[str, Any]] = json.loads(ended.stdout.splitlines()[-1])
        return found


_EVALUATE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import context, evaluate, flake, nix
request = json.loads(sys.argv[2])
model = context.Model()
machine = flake.Flake(model, request["head"], nix.environment(model, {"state": "none"}, ""), lambda line: None)
entry = request["entry"]
paths = entry["targets"] + (evaluate.select(machine, model, "main", only=entry["system"])[0] if entry.get("rules") else [])
print(json.dumps([target._asdict() for target in evaluate.evaluate(machine, paths)]))
"""


def attrs(targets: list[dict[str, Any]]) -> list[str]:
    """Return the names of targets, with a mark where one failed."""
    return [target["attr"] + "!" * (target["state"] == "failed") for target in targets]


def by_attr(targets: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return targets by their names."""
    return {target["attr"]: target for target in targets}


def states(plan: dict[str, Any]) -> dict[str, str]:
    """Return the plan's targets and what is to be done about them."""
    return {target["attr"]: target["state"] for target in plan["targets"]}


def jobs(plan: dict[str, Any]) -> list[str]:
    """Return "name: attr attr" for each entry of the plan."""
    return [
        f"{entry['name']}: {' '.join('.'.join(path) for path in entry['targets'])}"
        for entry in plan["entries"]
    ]
