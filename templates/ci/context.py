"""What a run knows before it asks anybody: GitHub's event, targets.json, and where things lie."""

import json
import os
import re
from collections.abc import Sequence
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
    """Write a new file that nobody else may read, from its first moment on."""
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
        data = data[:900_000].rpartition(b"\n")[0] + b"\n\nand more than GitHub shows.\n"
    with open(variable("GITHUB_STEP_SUMMARY", os.devnull), "ab") as file:
        file.write(data + b"\n")


def work() -> Path:
    """Return the folder where the parts of a job keep their files."""
    return Path(os.environ["RUNNER_TEMP"], "garnix2gha")


class Cache(NamedTuple):
    """The cache as targets.json names it, and the token."""

    backend: str = "cachix"  # or nix, attic
    name: str = ""
    url: str = ""  # where it is read
    push_url: str = ""  # where nix writes it
    server: str = ""  # of attic
    public_keys: Sequence[str] = ()  # NAME:BASE64
    upstreams: Sequence[str] = ()  # caches whose paths count as there
    private: bool = False  # reading takes a secret
    push_refs: Sequence[str] = ("**",)  # patterns of the branches that push
    variable: str = ""  # of the repository, that holds the name
    secrets: Sequence[str] = ()  # that a push needs
    client: str = ""  # installable
    token: str = ""  # that reads it


class Model(dict[str, Any]):
    """targets.json: what is built, for whom and where. It lies beside the programs' folder."""

    def __init__(self, path: Path = PROGRAMS.parent / "targets.json") -> None:
        super().__init__(read_json(path))
        if self.get("version") != 1:
            raise Fault("targets.json is not of these programs' version: run garnix2gha generate")

    @property
    def cache(self) -> Cache:
        """Return the cache; its name may come from a variable, which the workflow hands over."""
        known: dict[str, Any] = {"name": variable("CACHE_NAME")}
        # A pull request's code could take the token.
        if variable("GITHUB_EVENT_NAME") != "pull_request":
            known["token"] = variable("READ_TOKEN")
        for key, value in self.get("cache", {}).items():
            known[re.sub("[A-Z]", r"_\g<0>", key).lower()] = value
        cache = Cache(**known)
        if not re.fullmatch(r"[\w.-]*", cache.name):
            raise Fault("the name of the cache has characters that no cache's name has")
        if cache.backend == "cachix" and cache.name and not cache.url:
            cache = cache._replace(url=f"https://{cache.name}.cachix.org")
        return cache


class Event:
    """What GitHub says of the run, by the variables and the file that it gives to every step."""

    def __init__(self) -> None:
        file = Path(variable("GITHUB_EVENT_PATH"))
        self._payload = read_json(file)
        # The runner writes that file first: that is when the job began.
        self.started = file.stat().st_mtime
        self.name = variable("GITHUB_EVENT_NAME")
        self.ref = variable("GITHUB_REF")
        self.repository = variable("GITHUB_REPOSITORY")
        self.in_fork = self.at("repository", "fork") is True
        origin = self.at("pull_request", "head", "repo", "full_name")  # it may be gone
        self.is_fork = self.name == "pull_request" and origin != self.repository
        # What is built is a pull request's head, not its merge.
        self.head = str(self.at("pull_request", "head", "sha") or variable("GITHUB_SHA"))
        # It decides which sections count: a fork's pull request and a tag have none.
        self.branch = None if self.is_fork else self.at("pull_request", "head", "ref")
        if self.ref.startswith("refs/heads/"):
            self.branch = self.ref.removeprefix("refs/heads/")

    def at(self, *keys: str) -> Any:
        """Return what stands under the keys in the payload, None where one of them is missing."""
        value = self._payload
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value
