"""Which build backend a project names."""

import pytest

from tools.workspace.packages.editable import SETUPTOOLS, Backend, backend_of


@pytest.mark.parametrize(
    ("pyproject", "backend"),
    [
        ("", Backend(SETUPTOOLS)),
        ("[tool.black]\n", Backend(SETUPTOOLS)),
        ("[build-system]\nrequires = ['setuptools']\n", Backend(SETUPTOOLS)),
        ("build-system = 3\n", Backend(SETUPTOOLS)),
        ("[build-system\n", Backend(SETUPTOOLS)),
        ("[build-system]\nbuild-backend = 'flit_core.buildapi'\n", Backend("flit_core.buildapi")),
        (
            "[build-system]\nbuild-backend = 'own:hooks'\nbackend-path = ['tools', '.']\n",
            Backend("own:hooks", ("tools", ".")),
        ),
    ],
)
def test_a_project_is_built_by_what_it_names(pyproject: str, backend: Backend) -> None:
    assert backend_of(pyproject) == backend
