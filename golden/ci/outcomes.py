"""Plans and results as jobs hand them on, for tests that need no nix."""

from __future__ import annotations

import shutil
from typing import Any

from harness import HEAD, SYSTEM, Job
from loopback import CacheServer, store_path

NAMES = ("out", "dev", "man")


def wants(attr: str, state: str, *numbers: int | None, **more: Any) -> dict[str, Any]:
    """Return a target of a plan, or of a result, whose outputs are the store paths of these numbers."""
    paths = [store_path(number) if number else None for number in numbers]
    return {
        "attr": attr,
        "path": attr.split("."),
        "outputs": dict(zip(NAMES, paths, strict=False)),
        "state": state,
        "error": None,
        "system": SYSTEM,
        "drv": store_path(999, "p.drv"),
        "cause": "",
        "log": "",
        **more,
    }


def entry(*attrs: str, id: str = "one", **more: Any) -> dict[str, Any]:
    """Return an entry of a plan."""
    paths = [attr.split(".") for attr in attrs]
    job = {"id": id, "name": SYSTEM, "system": SYSTEM, "runner": "u", "rules": False}
    return {**job, "targets": paths, **more}


class ChecksJob(Job):
    """The last job of a run: it has the plan and the results, and a cache to ask."""

    def __init__(self, test: Any, **cache: Any) -> None:
        super().__init__(test)
        self.cache = CacheServer(test, self.temp / "cache")
        self.model(cache={"backend": "cachix", "name": "mine", "url": self.cache.url, **cache})

    def planned(
        self, *targets: dict[str, Any], entries: list[dict] | None = None, **more: Any
    ) -> None:
        """Begin a run with this plan; where no entries are named, one builds what is to be built."""
        shutil.rmtree(self.path("results"), ignore_errors=True)
        todo = [target["attr"] for target in targets if target["state"] in ("build", "elsewhere")]
        default = [entry(*todo)] if todo else []
        plan = {
            "head": HEAD,
            "branch": "main",
            "push": True,
        }
        plan |= {"faults": [], "cache": {"state": "ok"}, "targets": list(targets)}
        self.put(
            "plan/plan.json", {**plan, "entries": default if entries is None else entries, **more}
        )

    def told(self, *targets: Any, id: str = "one", flat: bool = False, **more: Any) -> None:
        """Write the result of an entry."""
        folder = "" if flat else f"garnix2gha-result-{id}/"
        result = {
            "entry": id,
            "pushed": True,
            "diskFull": False,
            "late": False,
            "targets": list(targets),
        }
        self.put(f"results/{folder}{id}.json", {**result, **more})

    def holds(self, *numbers: int) -> None:
        """Put store paths into the cache."""
        self.cache.put(*map(store_path, numbers))

    def check(self, build: str = "success", **env: str) -> Any:
        """Run the checks."""
        return self.run("checks", BUILD=build, **env)
