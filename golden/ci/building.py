"""A job that builds an entry of a plan and pushes it, with stand-ins for the clients and a cache on loopback."""

from __future__ import annotations

import shutil
import unittest
from pathlib import Path
from typing import Any

from harness import ROOT, STANDINS, SYSTEM, End, Job, need
from loopback import CacheServer
from outcomes import entry

TOKEN = "s3cret"
BACKENDS = ("cachix", "nix", "attic")


class BuildJob(Job):
    """A job that builds packages of its flake. By default it pushes to Cachix, with the right token."""

    def __init__(self, test: unittest.TestCase, **cache: Any) -> None:
        need("nix", "nix-store", "nix-instantiate", "git")
        super().__init__(test)
        self.cache = CacheServer(test, self.temp / "cache")
        self.settings = {"backend": "cachix", "name": "mine", "url": self.cache.url, **cache}
        self.model(cache=self.settings)
        self.client_log = self.temp / "client.log"
        self.standin("cachix")
        self.env |= {
            "ENTRY": "one",
            "CACHIX_AUTH_TOKEN": TOKEN,
            "STANDIN_CACHE_URL": self.cache.url,
            "STANDIN_CACHE_NAME": "mine",
            "STANDIN_CACHIX_TOKEN": TOKEN,
            "STANDIN_CACHIX_LOG": str(self.client_log),
        }

    def standin(self, name: str) -> None:
        """Put the stand-in of a client on PATH."""
        shutil.copy(STANDINS / name, self.bin / name)

    def packages(self, text: str, *names: str, system: str = SYSTEM, push: bool = True) -> None:
        """Commit a flake with these packages and plan to build those of the names."""
        head = self.flake(f"packages.{system} = rec {{ {text} }};")
        attrs = [f"packages.{system}.{name}" for name in names]
        self.planned(head, entry(*attrs, system=system), push=push)

    def planned(self, head: str, *entries: dict[str, Any], push: bool = True) -> None:
        """Write a plan."""
        plan = {"head": head, "branch": "main", "push": push}
        plan |= {"faults": [], "cache": {"state": "none"}, "targets": []}
        self.put("plan/plan.json", {**plan, "entries": list(entries)})

    def readable(self, head: str, name: str, *, push: bool = False) -> None:
        """Plan to build a package of a flake, in a run whose cache can be read."""
        self.planned(head, entry(f"packages.{SYSTEM}.{name}"), push=push)
        facts = {"state": "ok", "name": "mine", "url": self.cache.url, "private": True, "keys": []}
        self.put("plan/plan.json", {**self.get("plan/plan.json"), "cache": facts})

    def build(self, **env: str) -> End:
        """Build."""
        return self.run("build", **env)

    def result(self) -> dict[str, Any]:
        """Return what the job hands on."""
        return self.get("result/one.json")

    def target(self, name: str) -> dict[str, Any]:
        """Return what became of a package."""
        return next(t for t in self.result()["targets"] if t["path"][-1] == name)

    def states(self) -> dict[str, str]:
        """Return the state of each package."""
        return {target["path"][-1]: target["state"] for target in self.result()["targets"]}

    def calls(self) -> str:
        """Return what the client was called with."""
        return self.client_log.read_text() if self.client_log.exists() else ""


def backend(test: unittest.TestCase, name: str) -> BuildJob:
    """Return a job that pushes with a backend, as it should be set up."""
    if name == "cachix":
        return BuildJob(test)
    job = BuildJob(test, backend=name)
    (job.bin / "cachix").unlink()
    del job.env["CACHIX_AUTH_TOKEN"]
    if name == "nix":
        job.settings |= {"name": "", "pushUrl": job.cache.url}
    else:
        job.standin("attic")
        job.settings |= {"server": "http://127.0.0.1/", "url": job.cache.url}
        job.env |= {
            "ATTIC_TOKEN": TOKEN,
            "STANDIN_ATTIC_TOKEN": TOKEN,
            "STANDIN_ATTIC_LOG": str(job.client_log),
        }
    job.model(cache=job.settings)
    return job


def here(path: str) -> Path:
    """Return where a store path lies: here, or in the other root."""
    return Path(f"{ROOT}{path}")
