"""What a binary cache has, asked over HTTP: nix remembers what it once missed."""

import json
import re
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from context import Cache, variable
from web import Answer, Client, Request, basic

STORE_PATH = re.compile(r"/nix/store/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]{1,211}")
THERE = ("in-cache", "upstream")
_KEY = re.compile(r"[A-Za-z0-9._-]+:[A-Za-z0-9+/]{43}=")
_LINES = re.compile(r"(?:[^\x00-\x20:<>\"{]+:[^\x00-\x1f\x7f\ufffd]*\n)+")


class Verdict(NamedTuple):
    """Whether a path can be fetched: in-cache, upstream, missing or unknown; and why."""

    verdict: str
    cause: str = ""


class State(NamedTuple):
    """Whether it can be used: ok, none, missing-or-private, unreachable or not-a-cache; why not."""

    state: str
    message: str = ""


class Found(NamedTuple):
    state: State
    verdicts: dict[str, Verdict]


def check(client: Client, cache: Cache, token: str = "") -> State:
    if not cache.url:
        return State("none", "no cache is configured")
    answer = client.get(f"{cache.url}/nix-cache-info", password=token)
    said = f"HTTP {answer.status}" if answer.status else f"no answer: {answer.error}"
    if answer.status in (0, 429) or answer.status >= 500:
        return State("unreachable", said)
    if answer.status in (401, 403, 404, 407, 410):
        why = "it does not exist, or it is private and the token is missing, wrong or expired"
        return State("missing-or-private", f"{said}: {why}")
    if answer.status != 200:
        return State("not-a-cache", f"{said} for nix-cache-info")
    if not re.search(r"^StoreDir: */nix/store/*\r?$", answer.text, re.MULTILINE):
        return State("not-a-cache", "its nix-cache-info names no StoreDir /nix/store")
    return State("ok")


def facts(client: Client, cache: Cache, token: str = "") -> dict[str, Any]:
    """Return the cache as plan.json has it: whether it can be used, and how nix is told of it."""
    state = check(client, cache, token)
    public = keys(client, cache, token) if state.state == "ok" else []
    known = {"name": cache.name, "url": cache.url, "private": cache.private, "keys": public}
    return {**state._asdict(), **known}


def keys(client: Client, cache: Cache, token: str = "") -> list[str]:
    """Return the public keys, those of the settings or else those that Cachix's API names."""
    if cache.keys or cache.backend != "cachix" or not cache.name:
        return list(cache.keys)
    url = f"{variable('CACHIX_API', 'https://app.cachix.org/api/v1')}/cache/{cache.name}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    (answer,) = client.many([Request(url, headers)])
    try:
        return [key for key in json.loads(answer.text)["publicSigningKeys"] if _KEY.fullmatch(key)]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []


def pause() -> float:
    return float(variable("POLL_SECONDS", "15"))


def look_up(
    client: Client, cache: Cache, paths: Iterable[str], *, token: str = "", wait: float = 0
) -> Found:
    """Ask for store paths, and for so many seconds again while some are not there."""
    still = sorted({path for path in paths if STORE_PATH.fullmatch(path)})
    verdicts: dict[str, Verdict] = {}
    deadline = time.monotonic() + wait
    while True:
        state = check(client, cache, token)
        verdicts.update(dict.fromkeys(still, Verdict("unknown", state.message)))
        if state.state == "ok":
            verdicts.update(_ask(client, cache.url, still, token))
        for upstream in cache.upstreams:
            still = [path for path in still if verdicts[path].verdict not in THERE]
            for path, (verdict, cause) in _ask(client, upstream, still).items():
                if verdict == "in-cache":
                    verdicts[path] = Verdict("upstream", upstream)
                elif verdict == "unknown" and verdicts[path].verdict == "missing":
                    verdicts[path] = Verdict("unknown", f"{upstream}: {cause}")
        still = [path for path in still if verdicts[path].verdict not in THERE]
        seconds = min(pause(), deadline - time.monotonic())
        if not still or state.state == "none" or seconds <= 0:
            return Found(state, verdicts)
        print(f"not there yet: {len(still)}; asking again in {seconds:.0f} seconds", flush=True)
        time.sleep(seconds)


def _ask(client: Client, url: str, paths: list[str], token: str = "") -> dict[str, Verdict]:
    headers = basic(token)
    answers = client.many(Request(f"{url}/{path[11:43]}.narinfo", headers) for path in paths)
    return {path: _judge(path, answer) for path, answer in zip(paths, answers, strict=True)}


def _judge(path: str, answer: Answer) -> Verdict:
    said = f"HTTP {answer.status}"
    if answer.status in (404, 410):
        return Verdict("missing", said)
    if answer.status == 403:
        return Verdict("missing", f"{said}, which some stores answer for what they do not have")
    if answer.status in (401, 407):
        return Verdict("unknown", f"credentials: {said}")
    if answer.status != 200 or answer.error:
        return Verdict("unknown", answer.error or said)
    fields = dict(line.partition(": ")[::2] for line in answer.text.splitlines())
    stored = fields.get("StorePath", "")
    whole = all(fields.get(key) for key in ("URL", "NarHash", "NarSize"))
    if not whole or not _LINES.fullmatch(answer.text) or not STORE_PATH.fullmatch(stored):
        return Verdict("unknown", "the answer is not a narinfo")
    if stored != path:
        return Verdict("missing", f"the cache has another path under this hash: {stored}")
    return Verdict("in-cache")
