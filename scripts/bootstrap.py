"""Makes `.venv` in the checkout from `requirements.lock`, with nothing but Python's own library.

    python3 scripts/bootstrap.py KEY

KEY says what the environment is made from; it is written to `.venv/.complete` as the very last
step, so that an environment without it was interrupted and is made anew. uv does the work: the one
on PATH, else the one of the lock, fetched by this Python's pip or, where it has none, by a pip
whose wheel comes from the package index and must have the digest below. Exit code 3 and one line on
stderr where the machine or the index does not allow it.
"""

from __future__ import annotations

import base64
import configparser
import fcntl
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LOCK = CHECKOUT / "requirements.lock"
VENV = CHECKOUT / ".venv"
COMPLETE = VENV / ".complete"

DEFAULT_INDEX = "https://pypi.org/simple"
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_WHEEL_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
REQUEST_TIMEOUT_S = 30


class SetupFault(Exception):
    """The machine or the package index does not allow the set-up; the message is one line."""


class StepCrashed(SetupFault):
    """A program of the set-up ended by a segmentation fault."""


def main(key: str) -> int:
    """Makes the environment unless another process has just done so; returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - `python3` may be an older one
        say(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}: make PYTHON=...")
        return 3
    with LOCK.open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_complete() and COMPLETE.read_text(encoding="utf-8").strip() == key:
            return 0
        started_s = time.monotonic()
        try:
            make_environment(key)
        except SetupFault as fault:
            say(str(fault))
            return 3
        except KeyboardInterrupt:
            say("interrupted; the next run starts the environment anew")
            return 130
    say(f".venv is ready ({time.monotonic() - started_s:.1f} s)")
    return 0


def is_complete() -> bool:
    """Whether `.venv` was finished and the Python it was made with is still there."""
    return COMPLETE.exists() and (VENV / "bin" / "python").exists()


def make_environment(key: str) -> None:
    """Updates a complete `.venv` in place, makes any other anew.

    Raises:
        SetupFault: a step failed; its own output stands on stderr above the message.
    """
    environment = {**os.environ, **index_settings(), **certificate_settings()}
    with tempfile.TemporaryDirectory(prefix="agent-runner-setup-") as scratch:
        uv = [find_uv(Path(scratch), environment)]
        if not sys.stderr.isatty():
            uv.append("--quiet")
        say("installing the locked packages into .venv")
        try:
            install(uv, environment)
        except StepCrashed:
            # uv does so now and then as it starts a thread: github.com/astral-sh/uv/issues/21428
            say("uv crashed; once more")
            install(uv, environment)
    half_written = VENV / ".complete.partial"
    half_written.write_text(key + "\n", encoding="utf-8")
    half_written.replace(COMPLETE)


def install(uv: list[str], environment: dict[str, str]) -> None:
    """One pass from whatever `.venv` is to one with exactly the lock and this project in it."""
    if is_complete():
        COMPLETE.unlink()
    else:
        shutil.rmtree(VENV, ignore_errors=True)
        run([*uv, "venv", "--no-project", "--python", sys.executable, str(VENV)], environment)
    target = ["--python", str(VENV / "bin" / "python")]
    run(
        [*uv, "pip", "sync", "--compile-bytecode", "--require-hashes", *target, str(LOCK)],
        environment,
    )
    editable = ["--no-deps", "--no-build-isolation", "--editable", str(CHECKOUT)]
    run([*uv, "pip", "install", *target, *editable], environment)


def find_uv(scratch: Path, environment: dict[str, str]) -> str:
    """The uv on PATH, else the one of the lock, installed below `scratch`."""
    found = shutil.which("uv")
    if found:
        return found
    say("fetching uv")
    requirement = scratch / "uv.txt"
    requirement.write_text(locked_requirement("uv"), encoding="utf-8")
    pip = [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("pip") is None:
        pip = [sys.executable, str(fetch_pip(scratch, environment) / "pip")]
    quiet = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--root-user-action=ignore",
    ]
    exact = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"]
    target = ["--target", str(scratch / "uv"), "--requirement", str(requirement)]
    run([*pip, "install", *quiet, *exact, *target], environment)
    return str(scratch / "uv" / "bin" / "uv")


def locked_requirement(name: str) -> str:
    """The lines of the lock that pin one distribution, digests included."""
    entry = re.search(
        rf"^{re.escape(name)}==.*?(?=^[a-zA-Z]|\Z)", LOCK.read_text(encoding="utf-8"), re.M | re.S
    )
    if entry is None:
        raise SetupFault(f"{LOCK.name} does not pin {name}: make lock")
    return entry.group()


def fetch_pip(scratch: Path, environment: dict[str, str]) -> Path:
    """pip's wheel, which runs as it is, from the package index into `scratch`.

    Raises:
        SetupFault: the index does not answer, does not have it, or sends other bytes.
    """
    page_url = environment.get("UV_DEFAULT_INDEX", DEFAULT_INDEX).rstrip("/") + "/pip/"
    page = download(page_url, environment).decode("utf-8", "replace")
    link = re.search(rf"""href=["']([^"']*{re.escape(PIP_WHEEL)})[#"']""", page)
    if link is None:
        raise SetupFault(f"the package index does not list {PIP_WHEEL}")
    content = download(urllib.parse.urljoin(page_url, link.group(1)), environment)
    if hashlib.sha256(content).hexdigest() != PIP_WHEEL_SHA256:
        raise SetupFault(f"{PIP_WHEEL} of the package index has another digest than expected")
    wheel = scratch / PIP_WHEEL
    wheel.write_bytes(content)
    return wheel


def download(url: str, environment: dict[str, str]) -> bytes:
    """The body of a GET request, with the credentials that the URL carries."""
    parts = urllib.parse.urlsplit(url)
    credentials, _, host = parts.netloc.rpartition("@")
    bare_url = parts._replace(netloc=host).geturl()
    request = urllib.request.Request(bare_url)
    context = ssl.create_default_context(cafile=environment.get("SSL_CERT_FILE"))
    if credentials:
        token = base64.b64encode(urllib.parse.unquote(credentials).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    elif not (environment.get("SSL_CERT_FILE") or machine_has_certificates()):
        # Debian without ca-certificates: the pinned digest vouches for what comes.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S, context=context) as reply:
            return bytes(reply.read())
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise SetupFault(f"no answer from {bare_url}: {reason}") from error


def machine_has_certificates() -> bool:
    """Whether Python's own TLS has any authority to verify a server with."""
    store = ssl.get_default_verify_paths()
    return bool(store.cafile or (store.capath and any(Path(store.capath).iterdir())))


def index_settings() -> dict[str, str]:
    """The package index of this machine, said to uv: its own variables first, then those of pip."""
    if os.environ.get("UV_DEFAULT_INDEX"):
        return {}
    names = ("UV_INDEX_URL", "PIP_INDEX_URL")
    url = next((os.environ[n] for n in names if os.environ.get(n)), pip_setting("index-url"))
    return {"UV_DEFAULT_INDEX": url} if url else {}


def certificate_settings() -> dict[str, str]:
    """The certificates that this machine trusts, said to uv, which brings its own otherwise."""
    if os.environ.get("SSL_CERT_FILE"):
        return {}
    bundle = os.environ.get("PIP_CERT") or pip_setting("cert")
    if bundle:
        return {"SSL_CERT_FILE": bundle}
    return {"UV_SYSTEM_CERTS": "1"} if machine_has_certificates() else {}


def pip_setting(name: str) -> str | None:
    """A global setting of pip's configuration files, the user's before the machine's."""
    home = Path.home()
    user = os.environ.get("XDG_CONFIG_HOME") or home / ".config"
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", Path(user) / "pip" / "pip.conf"]
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(os.environ["PIP_CONFIG_FILE"]))
    configuration = configparser.RawConfigParser(strict=False)
    try:
        configuration.read(files, encoding="utf-8")
    except configparser.Error as error:
        raise SetupFault(f"pip's configuration cannot be read: {error}") from error
    return configuration.get("global", name, fallback=None) or None


def run(command: list[str], environment: dict[str, str]) -> None:
    """Runs a step; what it prints goes to stderr.

    Raises:
        StepCrashed: it ended by a segmentation fault.
        SetupFault: it cannot be started or fails.
    """
    try:
        ended = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    except OSError as error:
        raise SetupFault(f"{command[0]} cannot be started: {error}") from error
    if ended.returncode:
        fault = StepCrashed if ended.returncode == -signal.SIGSEGV else SetupFault
        raise fault(f"{shlex.join(command[:4])} ... ended with {ended.returncode}; see above")


def say(text: str) -> None:
    sys.stderr.write(f"set-up: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
