"""Requirements from before versions had rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from tools.workspace.packages.legacy_metadata import readable


@pytest.mark.parametrize(("line", "said"), [
    ("pytz (>=2011k)", "pytz"),
    ("pytz (>=2011k,<2030)", "pytz<2030"),
    ("numpy (>=1.9.0)", "numpy>=1.9.0"),
    ("numpy>=1.9.0", "numpy>=1.9.0"),
    ("sphinx[docs] (!=1.0dev-r3, >=1)", "sphinx[docs]>=1"),
    ("pywin32 (>=226b); sys_platform == 'win32'", "pywin32>=226b ; sys_platform == 'win32'"),
    ("six", "six"),
])  # fmt: skip
def test_bounds_that_are_no_versions_go(line: str, said: str) -> None:
    assert readable(line) == said


@given(st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]( \((>=|<|==|!=)[0-9a-z.]{1,6}\))?",
                     fullmatch=True))  # fmt: skip
def test_whatever_it_says_can_be_read(line: str) -> None:
    assert Requirement(readable(line)).name == line.partition(" ")[0]
