"""Files of a project, written where they are used."""

from textwrap import dedent


def python_files(**named: str) -> dict[str, str]:
    """Python files by module name, `__` for `/`."""
    return {
        f"{name.replace('__', '/')}.py": dedent(text).lstrip("\n") for name, text in named.items()
    }
