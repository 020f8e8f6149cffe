"""The Cachix client: it pushes to caches of cachix.org, also while nix builds."""

from pathlib import Path

from context import Cache, variable
from push import Tool, secret


def tool(program: str, cache: Cache, env: dict[str, str], _folder: Path) -> Tool:
    """Make the client ready. It counts an empty token as one, so an empty one is left out."""
    names = ("CACHIX_AUTH_TOKEN", "CACHIX_SIGNING_KEY")
    given = {name: variable(name) for name in names if variable(name)}
    given = given or {names[0]: secret(names[0])}
    watch = [program, "watch-exec", cache.name, "--"]
    return Tool(cache.name, [program, "push", cache.name], {**env, **given}, watch)
