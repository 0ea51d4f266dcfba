"""Rows of a set of the shape of SWE-bench, made up."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEST_PATCH = """\
diff --git a/tests/test_words.py b/tests/test_words.py
--- a/tests/test_words.py
+++ b/tests/test_words.py
@@ -1 +1,3 @@
 import words
+def test_new():
+    assert words.count("a b") == 2
"""
OLD: dict[str, Any] = {
    "repo": "someone/words",
    "instance_id": "someone__words-1",
    "base_commit": COMMIT,
    "patch": "diff --git a/words.py b/words.py\n",
    "test_patch": TEST_PATCH,
    "problem_statement": "count counts one too few",
    "hints_text": "",
    "created_at": "2023-03-04T18:36:21Z",
    "version": "2.3",
    "FAIL_TO_PASS": '["tests/test_words.py::test_new"]',
    "PASS_TO_PASS": '["tests/test_words.py::test_old"]',
    "environment_setup_commit": COMMIT,
}
NEW: dict[str, Any] = OLD | {
    "image": "swebench/sweb.eval.x86_64.someone_1776_words-1:latest",
    "eval_script": "#!/bin/bash\n: '>>>>> Start Test Output'\ntrue\n: '>>>>> End Test Output'\n",
    "log_parser": "parse_log_pytest",
    "eval_type": "pass_and_fail",
}


def numbered(count: int, **changes: object) -> list[dict[str, Any]]:
    """Rows that differ by their id."""
    return [NEW | {"instance_id": f"someone__words-{n}"} | changes for n in range(1, count + 1)]


def write_lines(path: Path, rows: list[dict[str, Any]]) -> str:
    """One row a line."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


def write_parquet(path: Path, rows: list[dict[str, Any]], row_group_size: int = 1000) -> str:
    """One table; every value a text or a date."""
    import pyarrow as pa
    from pyarrow.json import ParseOptions, read_json
    from pyarrow.parquet import write_table

    # By way of JSON: an array made of Python's values imports pandas, a third of a second.
    columns = {name: value for row in rows for name, value in row.items()}
    schema = pa.schema(
        (name, pa.string() if isinstance(value, str) else pa.timestamp("us"))
        for name, value in columns.items()
    )
    lines = "".join(f"{json.dumps(row, default=datetime.isoformat)}\n" for row in rows)
    options = ParseOptions(explicit_schema=schema)
    table = read_json(pa.py_buffer(lines.encode()), parse_options=options)
    write_table(table, path, row_group_size=row_group_size)
    return str(path)
