"""nix copy: it pushes to any store that nix can write, S3 and its like among them."""

import os
from pathlib import Path
from urllib.parse import quote

from context import Cache, write_secret
from push import Tool, secret


def tool(program: str, cache: Cache, env: dict[str, str], folder: Path) -> Tool:
    """Make the command ready; the key that signs goes into a file, as nix wants it."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    aws = cache.push_url.startswith("s3:")
    given = {name: secret(name) for name in names if aws and name in os.environ}
    url = cache.push_url
    if "NIX_SIGNING_KEY" in os.environ:
        key = folder / "signing-key"
        write_secret(key, secret("NIX_SIGNING_KEY") + "\n")
        url += f"{'&' if '?' in url else '?'}secret-key={quote(str(key))}"
    place = cache.push_url.partition("?")[0]
    return Tool(place, [program, "copy", "--to", url], {**env, **given})
