"""Projects whose outcome depends on warnings or on plug-ins."""

from tests.corpora.runs.projects.files import python_files

WARNING = python_files(
    test_w="""
    import warnings


    def test_warns():
        warnings.warn("old", DeprecationWarning)


    def test_silent():
        pass
    """
)

SUBTESTS = python_files(
    test_sub="""
    import unittest


    def test_some(subtests):
        for i in range(3):
            with subtests.test(msg="m", i=i):
                assert i != 1


    def test_good(subtests):
        with subtests.test("fine"):
            pass


    class T(unittest.TestCase):
        def test_u(self):
            for i in range(3):
                with self.subTest(i=i):
                    assert i != 1

        def test_skips(self):
            with self.subTest(1):
                self.skipTest("no")
    """
)

FLAKY = python_files(
    test_flaky="""
    TRIES = []


    def test_flaky():
        TRIES.append(1)
        assert len(TRIES) > 1


    def test_bad():
        assert 0


    def test_good():
        pass
    """
)

COVERED = python_files(
    lib="""
    def used():
        return 1


    def unused():
        return 2
    """,
    test_lib="""
    import lib


    def test_used():
        assert lib.used() == 1
    """,
) | {"conftest.py": ""}

ASYNC = python_files(
    test_async="""
    import asyncio

    import pytest


    async def test_good():
        await asyncio.sleep(0)


    async def test_bad():
        await asyncio.sleep(0)
        assert 0


    @pytest.fixture
    async def broken():
        raise RuntimeError("setup")


    async def test_setup(broken):
        pass
    """
)
