"""What is killed is replaced, what it had is given back, and no caller is turned away for it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.leaks import until
from tests.supervisor.service import Service, are_gone


def test_one_limit_over_all_workers_also_when_one_is_killed(tmp_path: Path) -> None:
    with Service(tmp_path, ports=20) as service:
        phones = service.call(50)
        assert until(lambda: sum(bool(phone.heard) + bool(phone.cause) for phone in phones) == 50, 20)
        taken = [phone for phone in phones if phone.heard]
        assert len(taken) == 20
        assert {phone.cause for phone in phones if not phone.heard} == {"SWITCH_CONGESTION"}
        workers = {phone.heard[1] for phone in taken}
        assert workers == {str(pid) for pid in service.workers()}
        killed, other = sorted(workers)
        assert until(lambda: all(service.row(phone) for phone in taken))
        os.kill(int(killed), signal.SIGKILL)
        lost = [phone for phone in taken if phone.heard[1] == killed]
        assert until(lambda: all(phone.over for phone in lost))
        # As many as were lost find a port, and no one more.
        again = service.call(len(lost) + 5)
        assert until(lambda: sum(bool(phone.heard) + bool(phone.cause) for phone in again) == len(again), 20)
        assert sum(bool(phone.heard) for phone in again) == len(lost)
        assert until(lambda: all(service.row(phone).ended for phone in lost))
        assert {service.row(phone).error for phone in lost} == {"the server ended before the call did"}
        kept = next(phone for phone in taken if phone.heard[1] == other)
        assert service.row(kept).ended is None
        assert service.row(kept).worker.endswith(f"-{other}")
        said = service.reads("which are closed as interrupted")
        assert f"-{killed} was killed by signal 9 with " in said
        assert until(lambda: len(service.workers()) == 2)


def test_one_that_stands_still_is_named_and_replaced_and_who_waits_for_it_is_served(tmp_path: Path) -> None:
    with Service(tmp_path, worker_patience=1, drain_timeout=0) as service:
        (tmp_path / "stand-still").touch()
        phones = service.call(24)  # spread over both: one of them takes its first call and stands still
        service.reads("has stood still for")
        service.reads("lines.py")
        service.reads("was killed by signal 9")
        answered = [phone for phone in phones if until(lambda phone=phone: phone.heard or phone.over, 20)]
        assert answered == phones
        # What it had not accepted yet is its replacement's.
        stopped = int(next(phone for phone in phones if phone.heard).heard[1])
        os.kill(stopped, signal.SIGSTOP)
        waiting = service.call(24)
        assert until(lambda: sum(bool(phone.heard) for phone in waiting) > 0)
        assert any(not phone.heard for phone in waiting)
        os.kill(stopped, signal.SIGKILL)
        assert until(lambda: all(phone.heard for phone in waiting), 20)
        assert not any(phone.over for phone in waiting)


def test_workers_whose_supervisor_is_killed_drain_and_end(tmp_path: Path) -> None:
    with Service(tmp_path, workers=1, drain_timeout=0.2) as service:
        (phone,) = service.held()
        workers = service.workers()
        assert len(workers) == 1
        service.signals(signal.SIGKILL)
        assert phone.wait_end(20)
        assert phone.cause == "MANAGER_REQUEST"
        assert until(lambda: are_gone(workers), 20)
    assert service.row(phone).hangup_cause == "MANAGER_REQUEST"


def test_a_call_that_was_up_when_all_were_killed_is_ended_by_the_next_start(tmp_path: Path) -> None:
    with Service(tmp_path, workers=1) as service:
        (phone,) = service.held()
        assert until(lambda: service.row(phone) is not None)
        (worker,) = service.workers()
        service.signals(signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        service.signals(signal.SIGKILL)
        listen = f"127.0.0.1:{service.address[1]}"
        assert service.ends() != 0
    with Service(tmp_path, workers=1, listen=listen) as service:
        assert until(lambda: service.row(phone).ended is not None)
        assert service.row(phone).error == "the server ended before the call did"
