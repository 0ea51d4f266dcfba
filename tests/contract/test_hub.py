"""Data sets of Hugging Face without a network, and rows that need the benchmark's own package."""

import hashlib
import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agent_runner.benchmarks.swebench.dataset import Dataset
from agent_runner.benchmarks.swebench.hub import HubRows
from agent_runner.benchmarks.swebench.row import Row
from agent_runner.benchmarks.swebench.script import NO_TESTS, parser_of
from agent_runner.errors import UsageError
from tests.unit.swebench.rows import OLD, numbered, write_parquet

ROOT = Path(__file__).parents[2]
WITHIN_S = 30.0


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    yield "http://127.0.0.1:9"


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for each in taken:
            each.close()


@contextmanager
def unknowing() -> Iterator[str]:
    """A hub that has no such set."""
    answer = b"HTTP/1.1 404 Not Found\r\nX-Error-Code: RepoNotFound\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                while True:
                    connection = server.accept()[0]
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.close()
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


SHA = "a" * 40
PART = "data/test-00000-of-00001.parquet"
LOAD = """
import sys
from agent_runner.benchmarks.swebench.dataset import open_dataset
try:
    print(open_dataset("owner/set", sys.argv[1]).rows(["someone__words-2"])[0].instance_id)
except Exception as error:
    print(type(error).__name__, error)
"""


class Hub(BaseHTTPRequestHandler):
    """A hub with one set of one Parquet file, as far as `datasets` asks for it."""

    content = b""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        oid = hashlib.sha256(self.content).hexdigest()
        path = self.path.partition("?")[0]
        file = {"type": "file", "oid": oid, "size": len(self.content), "path": PART}
        if path.endswith("/data"):
            self.answer(json.dumps([file]).encode())
        elif "/tree/" in path:
            place = {"type": "directory", "oid": oid, "size": 0, "path": "data"}
            self.answer(json.dumps([place]).encode())
        elif path.startswith("/api/datasets/owner/set"):
            day = "2024-01-01T00:00:00.000Z"
            facts = {"id": "owner/set", "sha": SHA, "siblings": [{"rfilename": PART}], "tags": []}
            self.answer(json.dumps({**facts, "lastModified": day, "createdAt": day}).encode())
        elif path.endswith(PART):
            self.answer(self.content, ETag=f'"{oid}"', **{"X-Repo-Commit": SHA})
        else:
            self.answer(b"", 404, **{"X-Error-Code": "EntryNotFound"})

    do_HEAD = do_GET

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def test_a_set_of_the_hub_is_downloaded_once_and_then_needs_no_network(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(numbered(3)), buffer)
    handler = type("Filled", (Hub,), {"content": buffer.getvalue()})

    def load(endpoint: str, split: str) -> str:
        env = {"PATH": "/usr/bin:/bin", "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path)}
        argv = [sys.executable, "-c", LOAD, split]
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        return done.stdout

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        assert load(endpoint, "test") == "someone__words-2\n"
        assert load(endpoint, "dev").startswith("UsageError owner/set, split dev: Unknown split")
        server.shutdown()
    assert load("http://127.0.0.1:9", "test") == "someone__words-2\n"
    assert load("http://127.0.0.1:9", "dev").startswith("InfraFault cannot load the data set")


GRADE = ("grade", "--dataset", "SWE-bench_Lite", "--predictions", "gold")
RUN = ("--dataset", "SWE-bench_Lite", "--task-id", "a__b-1", "--solver", "gold")


def run(
    endpoint: str, home: Path, arguments: tuple[str, ...] = GRADE, **env: str
) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": "/usr/bin:/bin", "HF_ENDPOINT": endpoint, "HF_HOME": str(home / "hf"),
        "AGENT_RUNNER_HOME": str(home), "AGENT_RUNNER_ROOT": str(home), **env,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "agent_runner", *arguments],
        env=variables, cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(("hub", "arguments"), [(nobody, RUN), (silent, GRADE)])
def test_a_hub_that_does_not_answer_is_told_in_seconds_with_the_way_out(
    hub: "type[nobody]", arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with hub() as endpoint:
        began_s = time.monotonic()
        done = run(endpoint, tmp_path, arguments)
        spent_s = time.monotonic() - began_s
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    for part in ("SWE-bench/SWE-bench_Lite", endpoint, "--dataset test.parquet", str(tmp_path)):
        assert part in done.stderr
    assert spent_s < WITHIN_S


def test_what_says_offline_is_believed_at_once(tmp_path: Path) -> None:
    done = run("http://127.0.0.1:9", tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 3
    assert "HF_HUB_OFFLINE is set" in done.stderr


def test_a_set_the_hub_does_not_have_is_the_persons_mistake(tmp_path: Path) -> None:
    with unknowing() as endpoint:
        done = run(endpoint, tmp_path)
    assert done.returncode == 2
    assert "has no data set SWE-bench/SWE-bench_Lite" in done.stderr


def test_a_row_of_4x_gets_script_parser_and_type() -> None:
    from swebench.harness.log_parsers.python import MAP_REPO_TO_PARSER_PY

    repo = next(name for name in MAP_REPO_TO_PARSER_PY if name.endswith("/pytest"))
    official = Row.model_validate(OLD | {"repo": repo}).located().official
    assert official is not None
    assert (official.log_parser, official.eval_type) == ("parse_log_pytest", "pass_and_fail")
    assert "\npytest -rA tests/test_words.py\n" in official.eval_script


def test_a_row_of_4x_of_a_repository_nobody_knows_lacks_its_parser() -> None:
    with pytest.raises(UsageError, match=r"someone__words-1 lacks log_parser.*someone/words"):
        Row.model_validate(OLD).located()


def test_every_parser_of_the_map_has_its_name_in_the_registry() -> None:
    from swebench.harness.log_parsers import PARSER_REGISTRY
    from swebench.harness.log_parsers.python import MAP_REPO_TO_PARSER_PY

    for repo, parse in MAP_REPO_TO_PARSER_PY.items():
        assert PARSER_REGISTRY[parser_of(repo)] is parse


def test_the_extensions_without_tests_are_the_packages_own() -> None:
    from swebench.harness.constants import NON_TEST_EXTS

    assert list(NO_TESTS) == NON_TEST_EXTS


def test_rows_of_the_hubs_library_are_read_like_those_of_a_file() -> None:
    import datasets

    rows = HubRows("owner/set", datasets.Dataset.from_list(numbered(3)))
    dataset = Dataset("owner/set", rows)
    assert dataset.rows(["someone__words-2"])[0] == Row.model_validate(numbered(3)[1])
    with pytest.raises(UsageError, match="owner/set lacks instance_id"):
        _ = HubRows("owner/set", datasets.Dataset.from_list([{"a": 1}])).ids


def test_local_files_need_no_library_of_the_hub(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "set.parquet", numbered(3))
    script = (
        "import sys\n"
        "from agent_runner.benchmarks.swebench.dataset import find_row\n"
        "assert find_row(sys.argv[1], 'someone__words-2')\n"
        "print(sorted({'datasets', 'huggingface_hub', 'pandas', 'swebench'} & set(sys.modules)))\n"
    )
    argv = [sys.executable, "-c", script, path]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
