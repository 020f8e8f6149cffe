"""The Cachix client: it pushes to caches of cachix.org, also while nix builds."""

from collections.abc import Mapping
from pathlib import Path

from context import Cache, variable
from process import Fault
from push import Tool


def tool(cache: Cache, env: Mapping[str, str], _folder: Path) -> Tool:
    """Make the client ready. It counts an empty token as one, so an empty one is left out."""
    names = ("CACHIX_AUTH_TOKEN", "CACHIX_SIGNING_KEY")
    given = {name: variable(name) for name in names if variable(name)}
    if not given:
        raise Fault("CACHIX_AUTH_TOKEN is empty: nothing is pushed", "Push")
    watch = ["watch-exec", cache.name, "--"]
    return Tool(cache.name, ["push", cache.name], {**env, **given}, watch=watch)
