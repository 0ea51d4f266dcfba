"""Whose a labelled thing is, and whether it is left over."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tools.workspace import labels as label
from tools.workspace.labels import Owner, is_leftover, run_labels

FAR_S = 1e9


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until it is killed; its odd name must confuse nobody."""
    wait = "import sys; open('/proc/self/comm', 'w').write('a) b ( c'); print(flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", wait], stdin=pipe, stdout=pipe) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started
        started.kill()


def owner_of(pid: int) -> Owner:
    """The owner that this process would be."""
    return replace(Owner.current(), pid=pid, started=label._started(pid))


def test_labels_name_run_owner_role_and_lease() -> None:
    made = run_labels("run-1", "agent", lease_s=100)
    assert set(made) == {label.RUN, label.OWNER, label.LEASE, label.ROLE}
    assert (made[label.RUN], made[label.ROLE]) == ("run-1", "agent")
    assert Owner.parse(made[label.OWNER]) == Owner.current()
    assert 98 <= int(made[label.LEASE]) - time.time() <= 100
    assert run_labels("run-1", "agent", lease_s=1, kept=True)[label.KEPT]


def test_an_owner_reads_back_from_its_label() -> None:
    owner = Owner.current()
    assert (owner.machine, owner.pid) == (platform.node(), os.getpid())
    assert Owner.parse(str(owner)) == owner
    for text in ("", "a/b/c", "a/b/c/d", "a/b/1/d/e"):
        assert Owner.parse(text) is None


def test_what_a_living_process_made_is_no_leftover_whatever_its_lease() -> None:
    made = run_labels("run", "agent", lease_s=-100)
    assert not is_leftover(made, time.time())


def test_what_a_dead_process_made_is_one_before_its_lease_is_over(
    process: subprocess.Popen[bytes],
) -> None:
    made = run_labels("run", "agent", lease_s=FAR_S) | {label.OWNER: str(owner_of(process.pid))}
    assert not is_leftover(made, time.time())
    process.kill()
    process.wait()
    assert is_leftover(made, time.time())


def test_a_start_is_told_whatever_a_process_calls_itself(process: subprocess.Popen[bytes]) -> None:
    started_s = int(label._started(process.pid)) / os.sysconf("SC_CLK_TCK")
    uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    assert uptime_s - 60 < started_s <= uptime_s


def test_a_number_that_another_process_has_by_now_is_dead() -> None:
    reused = replace(Owner.current(), started="1")
    assert reused.is_dead() is True
    assert Owner.current().is_dead() is False


def test_what_was_before_this_boot_is_dead() -> None:
    assert replace(Owner.current(), boot="00000000").is_dead() is True


def test_of_another_machine_only_the_lease_is_known() -> None:
    elsewhere = replace(Owner.current(), machine="elsewhere.example")
    assert elsewhere.is_dead() is None
    made = run_labels("run", "agent", lease_s=100) | {label.OWNER: str(elsewhere)}
    assert not is_leftover(made, time.time() + 90)
    assert is_leftover(made, time.time() + 110)


def test_without_an_owner_and_a_lease_it_is_left_over() -> None:
    assert is_leftover({label.RUN: "run"}, time.time())


def test_what_is_kept_on_purpose_never_is(process: subprocess.Popen[bytes]) -> None:
    made = run_labels("run", "agent", lease_s=-100, kept=True)
    made[label.OWNER] = str(replace(owner_of(process.pid), started="1"))
    assert not is_leftover(made, time.time() + FAR_S)
    del made[label.KEPT]
    assert is_leftover(made, time.time())
