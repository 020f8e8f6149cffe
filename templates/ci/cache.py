"""What a binary cache has, asked over HTTP: nix remembers what it once missed."""

import contextlib
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from context import Cache, variable
from process import pause
from web import Answer, ask

PAUSE = float(variable("POLL_SECONDS", "15"))  # before a path that is missing is asked for again
STORE_PATH = re.compile(r"/nix/store/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]{1,211}")
THERE = ("in-cache", "upstream")
_KEY = re.compile(r"[A-Za-z0-9._-]+:[A-Za-z0-9+/]{43}=")
_LINES = re.compile(r"(?:[^\x00-\x20:<>\"{]+:[^\x00-\x1f\x7f\ufffd]*\n)+")


class Verdict(NamedTuple):
    """A cache is ok, none or unusable, a path in-cache, upstream, missing or unknown; and why."""

    state: str
    message: str = ""


Verdicts = Mapping[str, Verdict]  # by store path
Outputs = Mapping[str, str | None]  # store paths, as far as they are known


def check(cache: Cache) -> Verdict:
    if not cache.url:
        return Verdict("none", "no cache is configured")
    info = f"{cache.url}/nix-cache-info"
    (answer,) = ask([{"url": info, "user": cache.token and f":{cache.token}"}])
    said = f"HTTP {answer.status}" if answer.status else f"no answer: {answer.text}"
    if answer.status in (401, 403, 404, 407, 410):
        said += ": it does not exist, or it is private and the token is missing, wrong or expired"
    elif answer.status == 200:
        if re.search(r"^StoreDir: */nix/store/*\r?$", answer.text, re.MULTILINE):
            return Verdict("ok")
        said = "its nix-cache-info names no StoreDir /nix/store"
    return Verdict("unusable", said)


def facts(cache: Cache) -> dict[str, Any]:
    """Return the cache as plan.json has it: whether it can be used, and how nix is told of it."""
    found, keys = check(cache), list(cache.public_keys)
    if found.state == "ok" and not keys and cache.backend == "cachix":
        url = f"{variable('CACHIX_API', 'https://app.cachix.org/api/v1')}/cache/{cache.name}"
        (answer,) = ask([{"url": url, "oauth2-bearer": cache.token}])
        with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
            told = json.loads(answer.text)["publicSigningKeys"]
            keys = [key for key in told if _KEY.fullmatch(key)]
    return {**found._asdict(), "url": cache.url, "keys": keys}


def look_up(cache: Cache, wanted: Iterable[Outputs], wait: float = 0) -> tuple[Verdict, Verdicts]:
    """Ask for the cache and for outputs, for so many seconds again while some are missing."""
    named = {path for outputs in wanted for path in outputs.values() if path}
    still = sorted(path for path in named if STORE_PATH.fullmatch(path))
    verdicts: dict[str, Verdict] = {}
    deadline = time.monotonic() + wait
    while True:
        found = check(cache)
        verdicts |= dict.fromkeys(still, Verdict("unknown", found.message))
        own = [cache.url] if found.state == "ok" else []
        for url in (*own, *cache.upstreams):
            user = f":{cache.token}" if cache.token and url == cache.url else ""
            asked = [{"url": f"{url}/{path[11:43]}.narinfo", "user": user} for path in still]
            for path, answer in zip(still, ask(asked), strict=True):
                verdict = _judge(path, answer)
                if url == cache.url:
                    verdicts[path] = verdict
                elif verdict.state == "in-cache":
                    verdicts[path] = Verdict("upstream", url)
                elif verdict.state == "unknown" and verdicts[path].state == "missing":
                    verdicts[path] = Verdict("unknown", f"{url}: {verdict.message}")
            still = [path for path in still if verdicts[path].state not in THERE]
        seconds = min(PAUSE, deadline - time.monotonic())
        if not still or found.state == "none" or seconds <= 0:
            return found, verdicts
        print(f"not there yet: {len(still)}; asking again in {seconds:.0f} seconds", flush=True)
        pause(seconds)


def _judge(path: str, answer: Answer) -> Verdict:
    said = f"HTTP {answer.status}" if answer.status else answer.text
    if answer.status in (404, 410):
        return Verdict("missing", said)
    if answer.status == 403:
        return Verdict("missing", f"{said}, which some stores answer for what they do not have")
    if answer.status in (401, 407):
        return Verdict("unknown", f"credentials: {said}")
    if answer.status != 200:
        return Verdict("unknown", said)
    fields = dict(line.partition(": ")[::2] for line in answer.text.splitlines())
    stored = fields.get("StorePath", "")
    whole = all(fields.get(key) for key in ("URL", "NarHash", "NarSize"))
    if not whole or not _LINES.fullmatch(answer.text) or not STORE_PATH.fullmatch(stored):
        return Verdict("unknown", "the answer is not a narinfo")
    if stored != path:
        return Verdict("missing", f"the cache has another path under this hash: {stored}")
    return Verdict("in-cache")
