"""The package index as this machine's variables name it, and for how long its answers hold."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PYPI = "https://pypi.org/simple"
# Of these the first that is set names the index in the place of PyPI.
DEFAULT = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
PASSED_ON = (
    "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_TRUSTED_HOST",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
# Where Debian, Fedora and Alpine keep the certificates they trust.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
# What is resolved is of the past: what came out within the last day is not asked for.
PAGES_S = 86_400
# What PyPI itself says of its files. Proxies leave it out, and each build would fetch them again.
FILES = "max-age=365000000, immutable"


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables by which pip and uv find the index and a way to it."""
    found = {name: environ[name] for name in PASSED_ON if name in environ}
    named = _named(environ)
    return {"UV_DEFAULT_INDEX": named.line, "PIP_INDEX_URL": named.url, **found} if named else found


def certificates(environ: Mapping[str, str]) -> Path | None:
    """What this machine trusts, so that the same proxies and mirrors work elsewhere."""
    named = environ.get("SSL_CERT_FILE") or environ.get("PIP_CERT")
    found = named or next((path for path in BUNDLES if Path(path).is_file()), None)
    return Path(found) if found else None


def uv_settings(environ: Mapping[str, str]) -> str:
    """A `uv.toml` with the index and how long its pages and files are taken from the cache.

    Without it each process of uv asks for every page again that is ten minutes old. It counts only
    where no variable names the index, which takes the place of the settings' one.
    """
    index = _named(environ) or _Index("", PYPI)
    lines = [f"name = {json.dumps(index.name)}"] if index.name else []
    lines += [f"url = {json.dumps(index.url)}", "default = true"]
    held = f'{{ api = "max-age={PAGES_S}", files = "{FILES}" }}'
    return "\n".join(["[[index]]", *lines, f"cache-control = {held}", ""])


def refreshed(as_of: str) -> tuple[str, ...]:
    """uv's option for a date that pages in its cache may be older than; mostly none."""
    date = datetime.fromisoformat(as_of)
    at_s = date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    return ("--refresh",) if at_s > time.time() - PAGES_S else ()


@dataclass(frozen=True)
class _Index:
    """An index; uv may be given both parts as `name=url`."""

    name: str
    url: str

    @property
    def line(self) -> str:
        return f"{self.name}={self.url}" if self.name else self.url


def _named(environ: Mapping[str, str]) -> _Index | None:
    value = next((environ[name] for name in DEFAULT if environ.get(name)), "")
    both = re.fullmatch(r"([A-Za-z0-9._-]+)=(.+)", value)
    found = _Index(both[1], both[2]) if both else _Index("", value)
    return found if found.url else None
