"""Whose a labelled thing is, and whether it is left over."""

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tools.workspace import labels as label
from tools.workspace.labels import NOBODYS, Owner, lease_is_over, owner_is_dead, run_labels

FAR_S = 1e9
HERE = Owner.current()


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
    return replace(Owner.current(), pid=pid, started=label._started(pid) or "")


def labels_of(
    owner: Owner | None, *, lease_s: float = 100, renewed: bool = False, kept: bool = False
) -> dict[str, str]:
    """Labels of an agent's container of that owner."""
    made = run_labels("run", "agent", lease_s=lease_s, renewed=renewed, kept=kept)
    return made | {label.OWNER: str(owner or "nobody")}


def test_labels_name_run_owner_role_and_lease() -> None:
    made = run_labels("run-1", "agent", lease_s=100)
    assert set(made) == {label.RUN, label.OWNER, label.LEASE, label.ROLE}
    assert (made[label.RUN], made[label.ROLE]) == ("run-1", "agent")
    assert Owner.parse(made[label.OWNER]) == Owner.current()
    assert 98 <= int(made[label.LEASE]) - time.time() <= 100
    assert run_labels("run-1", "agent", lease_s=1, kept=True)[label.KEPT]


def test_a_renewed_lease_has_a_length_and_no_end() -> None:
    made = run_labels("run-1", "agent", lease_s=22.5, renewed=True)
    assert set(made) == {label.RUN, label.OWNER, label.LEASE_S, label.ROLE}
    assert made[label.LEASE_S] == "22.5"


def test_an_image_hands_none_of_them_down() -> None:
    both = run_labels("run", "agent", lease_s=1, renewed=True, kept=True)
    both |= run_labels("run", "agent", lease_s=1)
    assert dict.fromkeys(both, "") == NOBODYS


def test_an_owner_reads_back_from_its_label() -> None:
    owner = Owner.current()
    assert (owner.machine, owner.pid) == (platform.node(), os.getpid())
    assert Owner.parse(str(owner)) == owner
    for text in ("", "a/b/c", "a/b/c/d", "a/b/1/d/e"):
        assert Owner.parse(text) is None


def test_what_a_living_process_made_is_not_dead() -> None:
    assert owner_is_dead(labels_of(Owner.current())) is False


def test_a_stopped_process_is_alive(process: subprocess.Popen[bytes]) -> None:
    owner = owner_of(process.pid)
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert owner_is_dead(labels_of(owner)) is False


def test_what_a_killed_process_made_is_dead_before_its_parent_has_looked(
    process: subprocess.Popen[bytes],
) -> None:
    made = labels_of(owner_of(process.pid), lease_s=FAR_S)
    assert owner_is_dead(made) is False
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}").exists()
    assert owner_is_dead(made) is True
    process.wait()
    assert owner_is_dead(made) is True


def test_a_start_is_told_whatever_a_process_calls_itself(process: subprocess.Popen[bytes]) -> None:
    started_s = int(label._started(process.pid) or "") / os.sysconf("SC_CLK_TCK")
    uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    assert uptime_s - 60 < started_s <= uptime_s


def test_a_number_that_another_process_has_by_now_is_dead() -> None:
    assert replace(Owner.current(), started="1").is_dead() is True
    assert Owner.current().is_dead() is False


@pytest.mark.parametrize(
    "other",
    [
        {"machine": "elsewhere.example"},
        {"boot": f"00000000.{HERE.boot.partition('.')[2]}"},
        {"boot": f"{HERE.boot.partition('.')[0]}.1"},
    ],
    ids=["another machine", "another boot, or a machine of the same name", "another container"],
)
def test_of_an_owner_out_of_sight_nobody_can_say(other: dict[str, str]) -> None:
    """The process number is one that nobody has here."""
    elsewhere = replace(Owner.current(), pid=2**22 + 1, **other)
    assert elsewhere.is_dead() is None
    assert owner_is_dead(labels_of(elsewhere)) is None


def test_what_ended_on_an_engine_of_this_machine_before_it_booted_is_dead() -> None:
    """After a reboot nothing waits for a lease; a container beside ours is no earlier boot."""
    boot, _, namespace = HERE.boot.partition(".")
    for other, is_dead in ((f"00000000.{namespace}", True), (f"{boot}.1", None)):
        made = labels_of(replace(HERE, boot=other))
        assert owner_is_dead(made, ended_here=True) is is_dead
    assert owner_is_dead(labels_of(replace(HERE, machine="x", boot="0")), ended_here=True) is None


def test_a_process_that_is_hidden_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user's is where /proc is mounted with `hidepid`."""

    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert replace(Owner.current(), pid=2**22 + 1).is_dead() is None


@pytest.mark.parametrize("text", ["", "nobody", "a/b/c/d"])
def test_an_owner_that_cannot_be_read_is_unknown(text: str) -> None:
    assert owner_is_dead({label.RUN: "run", label.OWNER: text}) is None
    assert owner_is_dead({label.RUN: "run"}) is None


def test_what_is_kept_on_purpose_is_never_dead() -> None:
    gone = replace(Owner.current(), started="1")
    assert owner_is_dead(labels_of(gone, kept=True)) is False
    assert owner_is_dead(labels_of(gone)) is True
    assert owner_is_dead(labels_of(gone) | {label.KEPT: ""}) is True


def test_a_lease_that_nobody_renews_runs_from_its_label_whatever_goes_on() -> None:
    made, now_s = labels_of(None, lease_s=100), time.time()
    for state in ("created", "running", "exited", ""):
        assert not lease_is_over(made, state, since_s=0, now_s=now_s + 90)
        assert lease_is_over(made, state, since_s=now_s, now_s=now_s + 110)


def test_what_runs_under_a_renewed_lease_is_alive() -> None:
    made = labels_of(None, lease_s=10, renewed=True)
    for state in ("running", "restarting"):
        assert not lease_is_over(made, state, since_s=0, now_s=FAR_S)


@pytest.mark.parametrize("state", ["created", "exited", "dead"])
def test_what_does_not_run_is_dead_a_lease_after_it_was_made_or_ended(state: str) -> None:
    made = labels_of(None, lease_s=10, renewed=True)
    assert not lease_is_over(made, state, since_s=1000, now_s=1009)
    assert lease_is_over(made, state, since_s=1000, now_s=1011)


@pytest.mark.parametrize("renewed", [True, False])
@pytest.mark.parametrize("state", ["paused", "removing"])
def test_what_somebody_paused_or_removes_is_left_to_them(state: str, renewed: bool) -> None:
    made = labels_of(None, lease_s=10, renewed=renewed)
    assert not lease_is_over(made, state, since_s=0, now_s=FAR_S * 10)


@pytest.mark.parametrize("lease", [{}, {label.LEASE: ""}, {label.LEASE: "soon"}])
def test_without_an_owner_and_a_lease_it_is_left_over(lease: dict[str, str]) -> None:
    made = {label.RUN: "run"} | lease
    assert lease_is_over(made, "running", since_s=0, now_s=time.time())
