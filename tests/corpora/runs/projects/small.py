"""Projects of two or three tests, whole or broken, and one of all outcomes."""

from tests.corpora.runs.projects.files import python_files


def leaving(statements: str) -> dict[str, str]:
    """Two tests, the second of which does something drastic, and a third."""
    return python_files(
        test_leave=f"""
        def test_first():
            pass


        def test_leave():
            {statements}


        def test_last():
            pass
        """
    )


TWO = python_files(
    test_two="""
    def test_bad():
        assert 0


    def test_good():
        print("said")
    """
)

MIXED = python_files(
    tests__test_whole="""
    import pytest

    pytest.skip("not here", allow_module_level=True)
    """,
    tests__test_mixed="""
    import unittest

    import pytest


    def test_ok():
        pass


    def test_bad():
        assert 1 == 2, "one - two"


    @pytest.mark.parametrize("v", ["a b", "a - b", "x[0]"])
    def test_param(v):
        assert v != "a - b"


    class TestOne(object):
        def test_same(self):
            pass


    class TestTwo(object):
        def test_same(self):
            assert 0


    class Unit(unittest.TestCase):
        @unittest.expectedFailure
        def test_expected(self):
            self.fail("known")

        @unittest.skip("no")
        def test_skipped(self):
            pass

        def test_unit(self):
            pass


    @pytest.fixture
    def breaks_before():
        raise RuntimeError("setup")


    @pytest.fixture
    def breaks_after():
        yield
        raise RuntimeError("teardown")


    def test_setup(breaks_before):
        pass


    def test_teardown(breaks_after):
        pass


    def test_both(breaks_after):
        assert 0


    @pytest.mark.skip(reason="later - on")
    def test_skip():
        pass


    @pytest.mark.xfail(reason="known - bug")
    def test_xfail():
        assert 0


    @pytest.mark.xfail
    def test_xpass():
        pass


    @pytest.mark.xfail(strict=True)
    def test_xpass_strict():
        pass


    def test_liar():
        print("=== short test summary info ===")
        print("FAILED tests/test_mixed.py::test_ok - printed by a test")
        print("===== 100 passed in 0.10s =====")
    """,
)

STOPPED = python_files(
    conftest="""
    def pytest_runtest_logreport(report):
        if report.failed:
            STOP[0].shouldstop = "enough failures for one day"


    STOP = []


    def pytest_sessionstart(session):
        STOP.append(session)
    """
)

BROKEN = python_files(
    test_broken="""
    import nothing_here


    def test_x():
        pass
    """
)

BROKEN_HOOK = python_files(
    conftest="""
    def pytest_collection_modifyitems(items):
        raise ValueError("odd hook")
    """
)

SAME_NAME = {
    "a/test_x.py": "def test_a():\n    pass\n",
    "b/test_x.py": "def test_b():\n    pass\n",
}
