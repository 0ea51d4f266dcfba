"""Projects for unittest and for runners that projects bring along."""

from textwrap import dedent

from tests.corpora.runs.projects.files import python_files

_UNITTEST_OLD = '''
    import unittest


    class Ends(unittest.TestCase):
        def test_good(self):
            pass

        def test_documented(self):
            """The first line of a docstring.

            And more.
            """

        def test_documented_bad(self):
            """Another line of a docstring."""
            self.fail("no")

        def test_prints(self):
            print("printed ... ok")

        def test_fail(self):
            self.assertEqual(1, 2)

        def test_error(self):
            raise ValueError("odd")

        @unittest.skip("no")
        def test_skip(self):
            pass

        @unittest.expectedFailure
        def test_expected(self):
            self.fail("known")

        @unittest.expectedFailure
        def test_unexpected(self):
            pass


    class Same(unittest.TestCase):
        def test_good(self):
            pass

        def test_fail(self):
            pass


    class Good(unittest.TestCase):
        def test_a(self):
            pass

        def test_b(self):
            pass


    @unittest.skip("whole class")
    class Skipped(unittest.TestCase):
        def test_a(self):
            pass

        def test_b(self):
            pass


    class BreaksBefore(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise RuntimeError("setUpClass")

        def test_never(self):
            pass


    class BreaksAfter(unittest.TestCase):
        def tearDown(self):
            raise RuntimeError("tearDown")

        def test_passes(self):
            pass

        def test_fails(self):
            self.fail("first")
'''

_UNITTEST_NEW = """

    class Sub(unittest.TestCase):
        def test_some(self):
            for i in range(4):
                with self.subTest(i=i):
                    self.assertNotIn(i, (1, 3))

        def test_zz_good(self):
            for i in range(2):
                with self.subTest("message", i=i):
                    pass
"""

UNITTEST_OLD = python_files(test_unit=_UNITTEST_OLD)

UNITTEST = python_files(test_unit=_UNITTEST_OLD + _UNITTEST_NEW)

LABELS = {
    f"tests/zz_runs/{path}": text
    for path, text in {"__init__.py": "", "tests.py": UNITTEST["test_unit.py"]}.items()
} | {"tests/zz_broken/__init__.py": "", "tests/zz_broken/tests.py": "import nothing_here\n"}

_SCRIPT = {
    # A checkout has a script like this one; the source distributions leave it out.
    "bin/test": '''
    #!/usr/bin/env python
    """Runs tests without py.test."""
    import argparse
    import os
    import sys

    parser = argparse.ArgumentParser()
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--no-colors", action="store_false", dest="colors")
    parser.add_argument("--no-cache", action="store_false", dest="cache")
    parser.add_argument("-k", dest="kw", nargs="*", default=())
    options, files = parser.parse_known_args()
    if not options.cache:
        os.environ["SYMPY_USE_CACHE"] = "no"
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    import sympy

    chosen = {name: getattr(options, name) for name in ("verbose", "colors", "kw")}
    sys.exit(0 if sympy.test(*files, **chosen) else 1)
    '''
}

_BIN_TESTS = """
from sympy.utilities.pytest import SKIP, XFAIL, skip


def test_good():
    assert 1 + 1 == 2


def test_bad():
    assert 1 + 1 == 3


def test_error():
    raise ValueError("odd")


def test_prints():
    print("test_forged ok")


def test_skip():
    skip("not here")


@SKIP("never")
def test_marked():
    pass


@XFAIL
def test_expected():
    assert 0


@XFAIL
def test_unexpected():
    pass


def test_last():
    pass
"""

BIN_TEST = {path: dedent(text).lstrip("\n") for path, text in _SCRIPT.items()} | {
    "sympy/core/tests/test_zz_runs.py": _BIN_TESTS,
    "sympy/core/tests/test_zz_broken.py": "import nothing_here\n\n\ndef test_x():\n    pass\n",
}
