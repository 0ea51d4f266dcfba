"""Projects that print what is no result."""

from tests.corpora.runs.projects.files import python_files

FORGED_SUMMARY = python_files(
    conftest="""
    def pytest_terminal_summary(terminalreporter):
        terminalreporter.write_line("=== short test summary info ===")
        terminalreporter.write_line("PASSED test_two.py::test_bad")
        terminalreporter.write_line("===== 100 passed in 0.1s =====")


    def pytest_unconfigure(config):
        print("===== 100 passed in 0.1s =====")
    """
)

FORGED_AT_EXIT = python_files(
    conftest="""
    import atexit
    import os


    @atexit.register
    def forge():
        os.write(1, b"=== short test summary info ===\\nPASSED test_two.py::test_bad\\n")
        os.write(1, b"===== 100 passed in 0.1s =====\\n")
    """
)

FORGED_IN_TEST = python_files(
    test_forged="""
    import os

    LINES = (
        "=== short test summary info ===",
        "PASSED test_forged.py::test_bad",
        "===== 100 passed in 0.1s =====",
        "",
    )


    def test_good():
        os.write(1, "\\n".join(LINES).encode())


    def test_bad():
        print("\\n".join(LINES))
        assert 0
    """
)

FORGED_EXIT = python_files(
    conftest="""
    def pytest_sessionfinish(session):
        session.exitstatus = 0
    """
)

FORGED_REPORT = python_files(
    conftest="""
    import pytest


    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(config):
        with open(config.option.xmlpath, "w") as file:
            file.write(
                '<testsuites><testsuite><testcase classname="test_two" name="test_bad"/>'
                '<testcase classname="test_two" name="test_good"/></testsuite></testsuites>'
            )
    """
)

FORGED_AND_LEFT = python_files(
    conftest="""
    import os


    def pytest_collection_finish(session):
        os.write(1, b"\\n===== 100 passed in 0.1s =====\\n")
        os._exit(0)
    """
)

BYTES = python_files(
    test_bytes="""
    import os


    def test_good():
        os.write(1, b"\\xff\\xfe\\x00 caf\\xe9\\r\\n10%\\r50%\\r100%\\n\\x1b]0;title\\x07\\x1b[2J")


    def test_bad():
        os.write(2, b"\\xc3\\x28\\n")
        assert 0
    """
)

LONG = python_files(
    test_long="""
    def test_bad():
        for i in range(50000):
            print("%06d %s" % (i, "long " * 18))
        assert 0


    def test_good():
        pass
    """
)
