"""`python -m tools.patching DIR DIFF`: apply a diff to a directory as `swe_apply_patch` would."""

import argparse
import json
import sys
from pathlib import Path

from tools.patching.apply import plan
from tools.patching.directory import carry_out, read_tree
from tools.patching.explain import success_text
from tools.patching.outcome import Plan
from tools.patching.parse import parse
from tools.patching.paths import candidate_paths
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["main"]

_MOST_OF_NAME = 300


def main(argv: list[str] | None = None) -> int:
    """Apply and print one JSON object; 0 applied, 1 refused, 2 wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.patching", description=__doc__)
    parser.add_argument("directory", metavar="DIR", type=Path, help="the project's root")
    parser.add_argument("diff", metavar="DIFF", help="a file that holds the diff, or -")
    arguments = parser.parse_args(argv)
    if not arguments.directory.is_dir():
        parser.error(f"{arguments.directory}: not a directory")
    try:
        patch = sys.stdin.buffer.read() if arguments.diff == "-" else _read(arguments.diff)
    except OSError as error:
        parser.error(f"{arguments.diff}: {error.strerror}")
    try:
        done = _apply(patch, arguments.directory)
    except PatchRefusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        _report(None, f"{refusal.reason}: {refusal.summary}")
        return 1
    sys.stderr.write(f"{success_text(done)}\n")
    _report(done, None)
    return 0


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _apply(patch: bytes, root: Path) -> Plan:
    changes = parse(patch)
    try:
        made = plan(changes, read_tree(root, candidate_paths(changes)))
        carry_out(made, root)
    except OSError as error:
        # A name that is too long is one of the reasons.
        name = str(error.filename or root)[:_MOST_OF_NAME]
        raise PatchRefusal(Reason.NOT_WRITTEN, f"{name}: {error.strerror}.") from error
    return made


def _report(done: Plan | None, reason: str | None) -> None:
    files = done.files if done else ()
    fields = {
        "applied": done is not None,
        "files": [outcome.path for outcome in files],
        "how": {outcome.path: ", ".join(outcome.how) for outcome in files},
        "reason": reason,
    }
    sys.stdout.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    sys.exit(main())
