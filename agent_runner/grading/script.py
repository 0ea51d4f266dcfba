"""The script as it is run: with markers nobody can know, alone in its container."""

from agent_runner.grading.recipe import Script

DIRECTORY = "/agent_runner"
PATH = f"{DIRECTORY}/eval.sh"
NOT_ALONE = 97
# The shell has parsed all of it before the first line runs, so that nothing it starts can rewrite
# it or learn the nonce from the file, which the shell holds open.
BEGIN = f": > {PATH}; rm -rf {DIRECTORY}; exec 2>&1; ar_install=0"
# What an install step left behind must not write among the results. Only builtins: commands may
# have been replaced. All are stopped at once before they are killed, so that none starts another;
# the shell's parent is init's own and goes on.
ALONE = f"""\
ar_rounds=0
while :; do
  ar_left=
  kill -s STOP -- -1 2>/dev/null
  for ar_pid in /proc/[0-9]*; do
    ar_pid=${{ar_pid#/proc/}}
    case $ar_pid in 1|$$|$PPID) continue ;; esac
    ar_state=
    while read -r ar_key ar_value ar_rest; do
      [ "$ar_key" = State: ] && ar_state=$ar_value && break
    done 2>/dev/null </proc/$ar_pid/status
    case $ar_state in ''|Z|X) continue ;; esac
    ar_left=1
    kill -s KILL "$ar_pid" 2>/dev/null
  done
  kill -s CONT $PPID
  [ -z "$ar_left" ] && break
  ar_rounds=$((ar_rounds + 1))
  [ $ar_rounds -gt 5000 ] && exit {NOT_ALONE}
done
"""
QUIET = "{ set +x; } 2>/dev/null"
# After an install line: its status, told with the start marker.
INSTALLED = "{ ar_install=$((ar_install | $?)); } 2>/dev/null"


def compose(script: Script, nonce: str) -> str:
    """The whole script; its exit code is the tests', kept off its output."""
    trace = "set -x\n" if script.traced else ""
    unset = f"unset {' '.join(script.offline_env)}\n" if script.offline_env else ""
    return (
        f"{{\n{BEGIN}\n{script.before}\n{QUIET}\n{ALONE}{unset}"
        f"printf '\\n%s\\n' \"start {nonce} $ar_install\"\n"
        f"{trace}{script.tests}\n"
        "{ ar_code=$?; set +x; } 2>/dev/null\n"
        f"printf '\\n%s\\n' 'end {nonce}'\n"
        f"{trace}{script.after}\n"
        f"{QUIET}\n"
        'exit "$ar_code"\n'
        "}\n"
    )
