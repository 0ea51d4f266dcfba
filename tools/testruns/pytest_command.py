"""The command line that runs pytest so that its outcome can be read, whatever the project sets.

A project's `addopts` come first on pytest's own command line, and of an option given twice the
last counts. So `-q`, `-v`, `-ra`, `-x`, `--maxfail`, `--color`, `--junitxml`, and the ini keys
`cache_dir`, `junit_family` and `junit_logging` are set here again. What stays is what decides which
tests run and how: `-m`, `-n`, `--cov`, `-p`, `--import-mode`, `--strict`, `--doctest-modules`, and
`-k` where no other is asked for.

What cannot be set again is read all the same: `-p no:terminal` and `--no-summary` leave the report,
`-p no:junitxml` leaves the log, and an option whose plugin is missing ends pytest with exit code 4
(1 for a missing `-p` plugin before pytest 9), which the summary explains.
"""

from collections.abc import Sequence

from tools.errors import ToolRefusal


def pytest_argv(
    paths: Sequence[str], k: str, report_path: str, extra: Sequence[str] = ()
) -> tuple[str, ...]:
    """The argument vector for one run of pytest in the project's directory.

    Args:
        paths: files, directories or node ids; empty for the project's own default.
        k: an expression for `-k`; blank for none.
        report_path: where pytest writes its JUnit report: absolute, outside the project, not there.
        extra: the caller's own options, which win over these; never the model's.

    Raises:
        ToolRefusal: a path that pytest would read as an option or as a file of options.
    """
    for path in paths:
        _refuse_option(path)
    if "\0" in k:
        raise ToolRefusal("swe_pytest did not run: `k` contains a NUL character.")
    # Joined to its option: as a word of its own, a leading "-" or "@" would be an option or a file.
    chosen = (f"-k{k.strip()}",) if k.strip() else ()
    return (
        "python",
        "-m",
        "pytest",
        # pytest before 4 knows no `A`, later ones read nothing after it.
        "-rAfEsxXp",
        "--color=no",
        "--verbosity=0",
        "--maxfail=0",
        # pytest-pretty replaces the summary and has no option that would be missed.
        "-p",
        "no:pretty",
        # Not `-p no:cacheprovider`: with it, `--ff` or `--lf` in addopts is an unknown option.
        "-o",
        f"cache_dir={report_path}.cache",
        "-o",
        "junit_family=xunit1",
        "-o",
        "junit_logging=no",
        f"--junitxml={report_path}",
        *extra,
        *chosen,
        *paths,
    )


def _refuse_option(path: str) -> None:
    """Refuse what pytest takes for an option; `--` is no fence: pytest 9 reads options after it."""
    if not path.strip() or "\0" in path:
        raise ToolRefusal("swe_pytest did not run: a path is empty or contains a NUL character.")
    if path.startswith(("-", "@")):
        raise ToolRefusal(
            f"swe_pytest did not run: {path!r} is not a path. `paths` takes files, directories and"
            " test ids such as tests/test_a.py::test_b; to select by name use `k`; for a file whose"
            f" name begins like this write ./{path}; for other pytest options use docker_sh."
        )
