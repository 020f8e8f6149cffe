"""nix copy: it pushes to any store that nix can write, S3 and its like among them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from context import Cache, variable
from process import Fault
from push import Tool


def tool(cache: Cache, env: Mapping[str, str], folder: Path) -> Tool:
    """Make the command ready; the key that signs goes into a file, as nix wants it."""
    given = {}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if name in os.environ and cache.push_url.startswith("s3:"):
            given[name] = _secret(name)
    url = cache.push_url
    if "NIX_SIGNING_KEY" in os.environ:
        key = folder / "signing-key"
        with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(_secret("NIX_SIGNING_KEY") + "\n")
        url += f"{'&' if '?' in url else '?'}secret-key={quote(str(key))}"
    place = cache.push_url.partition("?")[0]
    return Tool(place, ["copy", "--to", url], {**env, **given})


def _secret(name: str) -> str:
    value = variable(name)
    if not value:
        raise Fault(f"{name} is empty: nothing is pushed", "Push")
    return value
