"""What lets the official evaluation scripts run on our layers as they are."""

import shlex

from tools.workspace.spec import VENV

SCRIPT = "opt/miniconda3/bin/activate"
VARIABLES = "opt/miniconda3/variables"

# They source this and call `conda activate testbed`, under `set -u`.
ACTIVATE = f"""\
conda() {{
    if [ "${{1:-}}" = activate ]; then
        export VIRTUAL_ENV={VENV}
        case ":$PATH:" in
            :{VENV}/bin:*) ;;
            *) export PATH="{VENV}/bin:$PATH" ;;
        esac
        . /{VARIABLES}
    fi
}}
"""
# The build tools are in the environment, and there may be no index to fetch others from. `false`
# is right: pip takes the value for its own variable `build_isolation`.
PIP_CONF = """\
[global]
disable-pip-version-check = true
no-build-isolation = false
retries = 1
"""


def activation(variables: tuple[str, ...] = ()) -> dict[str, str]:
    """The files, by path below the root.

    Args:
        variables: `NAME=value`, exported where the environment is activated.
    """
    pairs = (line.partition("=") for line in variables)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, _, value in pairs)
    return {
        SCRIPT: ACTIVATE,
        VARIABLES: exports,
        f"{VENV[1:]}/pip.conf": PIP_CONF,
    }
