"""The Pythons and packages that runs are made with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        python: minor version of its Python.
        packages: what is installed from the index.
        source: a source distribution that the project is laid over; "" for none.
    """

    python: str
    packages: tuple[str, ...] = ()
    source: str = ""


ENVIRONMENTS = {
    "pytest3.10": Environment("3.6", ("pytest==3.10.1",)),
    "pytest4.6-py2.7": Environment("2.7", ("pytest==4.6.11",)),
    "pytest4.6": Environment("3.7", ("pytest==4.6.11", "pytest-xdist==1.34.0")),
    "pytest5.4": Environment("3.8", ("pytest==5.4.3",)),
    "pytest6.2": Environment("3.9", ("pytest==6.2.5", "pytest-xdist==2.5.0")),
    "pytest7.4": Environment("3.10", ("pytest==7.4.4",)),
    "pytest7.4-subtests": Environment("3.10", ("pytest==7.4.4", "pytest-subtests==0.13.1")),
    "pytest8.3": Environment("3.12", ("pytest==8.3.5", "pytest-xdist==3.6.1")),
    "pytest8.4": Environment("3.13", ("pytest==8.4.2",)),
    "pytest9": Environment("3.11", ("pytest==9.2.0",)),
    "pytest9-xdist": Environment("3.13", ("pytest==9.2.0", "pytest-xdist==3.8.0")),
    "sugar": Environment("3.13", ("pytest==8.4.2", "pytest-sugar==1.1.1")),
    "sugar0.9": Environment("3.9", ("pytest==6.2.5", "pytest-sugar==0.9.4")),
    "rich": Environment("3.12", ("pytest==8.3.5", "pytest-rich==0.2.0")),
    "pretty": Environment("3.13", ("pytest==8.4.2", "pytest-pretty==1.3.0")),
    "randomly": Environment("3.13", ("pytest==9.2.0", "pytest-randomly==4.1.0")),
    "rerun": Environment("3.13", ("pytest==8.4.2", "pytest-rerunfailures==16.1")),
    "timeout": Environment("3.13", ("pytest==8.4.2", "pytest-timeout==2.4.0")),
    "cov": Environment("3.13", ("pytest==8.4.2", "pytest-cov==7.0.0")),
    "asyncio": Environment("3.13", ("pytest==8.4.2", "pytest-asyncio==1.2.0")),
    "instafail": Environment("3.13", ("pytest==8.4.2", "pytest-instafail==0.5.0")),
    "unittest2.7": Environment("2.7"),
    "unittest3.6": Environment("3.6"),
    "unittest3.11": Environment("3.11"),
    "unittest3.12": Environment("3.12"),
    "unittest3.13": Environment("3.13"),
    "runtests2.2": Environment("3.6", ("pytz", "sqlparse"), "Django==2.2.28"),
    "runtests4.2": Environment(
        "3.11", ("asgiref", "sqlparse", "jinja2", "docutils"), "Django==4.2.16"
    ),
    "runtests5.2": Environment("3.13", ("asgiref", "sqlparse"), "Django==5.2.8"),
    "bintest1.4": Environment("3.7", ("mpmath==1.1.0",), "sympy==1.4"),
    "bintest1.12": Environment("3.11", ("mpmath==1.3.0",), "sympy==1.12"),
}
