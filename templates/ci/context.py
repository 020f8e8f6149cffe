"""What a run knows before it asks anybody: GitHub's event, targets.json, and where things lie."""

import json
import os
import re
import time
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from process import Fault

PROGRAMS = Path(__file__).resolve().parent


def read_json(path: Path) -> Any:
    """Read a JSON file; a broken one is a fault that names it."""
    try:
        return json.loads(path.read_bytes().decode("utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        raise Fault(f"{path.name} cannot be read") from None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, and the folder it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value) + "\n", encoding="utf-8")


def write_secret(path: Path, secret: str) -> None:
    """Write a file that nobody else may read, from its first moment on, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(0o600, exist_ok=False)
    path.write_text(secret, encoding="utf-8")


def variable(name: str, default: str = "") -> str:
    """Return an environment variable; an empty one is like one that is not set."""
    return os.environ.get(name, "").strip() or default


def output(name: str, value: str) -> None:
    with open(variable("GITHUB_OUTPUT", os.devnull), "a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def summarize(markdown: str) -> None:
    """Add to the step's summary, of which GitHub shows at most a megabyte."""
    data = markdown.encode("utf-8", errors="replace")
    if len(data) > 900_000:
        data = data[:900_000].rpartition(b"\n")[0] + b"\n\nand more; see the log.\n"
    with open(variable("GITHUB_STEP_SUMMARY", os.devnull), "ab") as file:
        file.write(data + b"\n")


def work() -> Path:
    """Return the folder where the parts of a job keep their files."""
    if not variable("RUNNER_TEMP"):
        raise Fault("RUNNER_TEMP is not set: this runs in GitHub Actions only")
    return Path(variable("RUNNER_TEMP")) / "garnix2gha"


class Cache(NamedTuple):
    """The cache as targets.json names it."""

    backend: str = "cachix"  # or nix, attic
    name: str = ""
    url: str = ""  # where it is read
    push_url: str = ""  # where nix writes it
    server: str = ""  # of attic
    keys: tuple[str, ...] = ()  # public ones, NAME:BASE64
    upstreams: tuple[str, ...] = ()  # caches whose paths count as there
    private: bool = False  # reading takes a secret
    refs: tuple[str, ...] = ("**",)  # patterns of the branches that push
    variable: str = ""  # of the repository, that holds the name
    secrets: tuple[str, ...] = ()  # that a push needs
    client: str = ""  # installable


class Model(dict[str, Any]):
    """targets.json: what is built, for whom and where. It lies beside the programs' folder."""

    def __init__(self, path: Path = PROGRAMS.parent / "targets.json") -> None:
        raw = read_json(path)
        if not isinstance(raw, dict) or raw.get("version") != 1:
            raise Fault("targets.json is not of these programs' version: run garnix2gha generate")
        super().__init__(raw)

    @cached_property
    def cache(self) -> Cache:
        """Return the cache; its name may come from a variable, which the workflow hands over."""
        names = {"pushUrl": "push_url", "publicKeys": "keys", "pushRefs": "refs"}
        fields: dict[str, Any] = {}
        for key, value in self.get("cache", {}).items():
            fields[names.get(key, key)] = tuple(value) if isinstance(value, list) else value
        cache = Cache(**fields)
        name = cache.name or variable("CACHE_NAME")
        if not re.fullmatch(r"[\w.-]*", name):
            raise Fault("the name of the cache has characters that no cache's name has")
        cachix = f"https://{name}.cachix.org" if name and cache.backend == "cachix" else ""
        upstreams = tuple(url.rstrip("/") for url in cache.upstreams)
        url = (cache.url or cachix).rstrip("/")
        return cache._replace(name=name, url=url, upstreams=upstreams)


class Event:
    """What GitHub says of the run, by the variables and the file that it gives to every step."""

    def __init__(self) -> None:
        path = variable("GITHUB_EVENT_PATH")
        self._payload: Any = read_json(Path(path)) if path else {}
        # The runner writes that file first: that is when the job began.
        self.started = Path(path).stat().st_mtime if path else time.time()
        self.name = variable("GITHUB_EVENT_NAME")
        self.ref = variable("GITHUB_REF")
        self.repository = variable("GITHUB_REPOSITORY")
        self.actor = str(self.at("sender", "login") or variable("GITHUB_ACTOR"))
        self.in_fork = self.at("repository", "fork") is True
        # A pull request's run has no secrets, or must not use them; its fork may be gone.
        self.is_pull_request = self.name == "pull_request"
        origin = self.at("pull_request", "head", "repo", "full_name")
        self.is_fork = self.is_pull_request and origin != self.repository
        # What is built is a pull request's head, not its merge.
        self.head = str(self.at("pull_request", "head", "sha") or variable("GITHUB_SHA"))
        # It decides which sections count: a fork's pull request and a tag have none.
        self.branch: str | None = None
        if self.is_pull_request:
            self.branch = None if self.is_fork else self.at("pull_request", "head", "ref")
        elif self.ref.startswith("refs/heads/"):
            self.branch = self.ref.removeprefix("refs/heads/")
        self.on_default_branch = self.branch == (self.at("repository", "default_branch") or "")

    def at(self, *keys: str) -> Any:
        """Return what stands under the keys in the payload, None where one of them is missing."""
        value = self._payload
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value
