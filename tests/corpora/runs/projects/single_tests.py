"""Projects about how single tests end."""

from tests.corpora.runs.projects.files import python_files

SKIPPED = python_files(
    test_module="""
    import pytest

    pytest.importorskip("nothing_here")


    def test_never():
        pass
    """,
    test_skipped="""
    import unittest

    import pytest


    @pytest.mark.skip(reason="why")
    def test_marked():
        pass


    @pytest.mark.skipif("1 == 1", reason="always")
    def test_if():
        pass


    def test_inside():
        pytest.skip("inside")


    @unittest.skip("class")
    class Unit(unittest.TestCase):
        def test_a(self):
            pass

        def test_b(self):
            pass
    """,
)

XFAILS = python_files(
    test_x="""
    import pytest


    @pytest.mark.xfail(reason="known")
    def test_fails():
        assert 0


    @pytest.mark.xfail
    def test_passes():
        pass


    @pytest.mark.xfail(raises=ValueError)
    def test_raises_other():
        raise KeyError("x")


    @pytest.mark.xfail(run=False)
    def test_not_run():
        assert 0


    def test_imperative():
        pytest.xfail("in the middle")


    @pytest.mark.xfail(strict=False)
    def test_passes_unstrict():
        pass
    """
)

FIXTURES = python_files(
    test_f="""
    import pytest


    @pytest.fixture
    def before():
        raise RuntimeError("setup")


    @pytest.fixture
    def after():
        yield
        raise RuntimeError("teardown")


    @pytest.fixture(scope="module")
    def once():
        raise RuntimeError("module setup")


    def test_before(before):
        pass


    def test_after(after):
        pass


    def test_both(after):
        assert 0


    def test_skipped_then_after(after):
        pytest.skip("no")


    def test_once_a(once):
        pass


    def test_once_b(once):
        pass


    def test_unknown(no_such_fixture):
        pass


    @pytest.mark.xfail
    def test_xfail_before(before):
        pass


    @pytest.mark.xfail
    def test_xfail_after(after):
        assert 0


    def test_fine():
        pass
    """
)

CLASSES = python_files(
    shared="""
    class Shared(object):
        def test_inherited(self):
            assert self.wanted
    """,
    test_c="""
    from shared import Shared


    class TestA(Shared):
        wanted = True

        def test_same(self):
            pass


    class TestB(Shared):
        wanted = False

        def test_same(self):
            assert 0


    class TestOuter(object):
        class TestInner(object):
            def test_same(self):
                pass


    def test_same():
        pass
    """,
) | {"conftest.py": "import sys\n\nsys.path.insert(0, __file__.rsplit('/', 1)[0])\n"}

DOCTESTS = python_files(
    lib='''
    """Adds.

    >>> add(1, 2)
    3
    """


    def add(a, b):
        """Sum.

        >>> add(1, 1)
        3
        """
        return a + b


    def skipped():
        """Nothing.

        >>> 1 / 0  # doctest: +SKIP
        """
    '''
) | {"guide.rst": "A guide\n\n>>> 1 + 1\n2\n"}

IDS = python_files(
    conftest="""
    # -*- coding: utf-8 -*-
    def pytest_make_parametrize_id(config, val):
        ids = {"colour": u"\\x1b[31mred", "smile": u"\\u00e9\\U0001f600", "lines": u"new\\nline"}
        return ids.get(val)
    """,
    tests__test_ids="""
    import pytest


    @pytest.mark.parametrize(
        "v",
        ["a b", "a - b", "a] - b", "x::y", "[q", '<&">', "lines", "colour", "smile", "",
         "very" * 60, "a/b.py", "t\\tab", "nul\\x00"],
    )
    def test_good(v):
        pass


    @pytest.mark.parametrize("v", ["a b", "a - b", "a] - b", "x - y]"])
    def test_bad(v):
        raise ValueError("x - y")
    """,
)
