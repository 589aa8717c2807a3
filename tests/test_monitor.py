"""monitor.txt: what the platform's parser finds in it, at any moment."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.contract import Code, State
from common.run.monitor import Monitor, MonitorLine, read_monitor

TASK_ID = "t0000001000002a1b2c3d4e5"


@dataclass(frozen=True)
class Parsed:
    """The first line as the platform's parse_percent_log understands it."""

    task_id: str
    timestamp: float
    percent: float
    state: int
    code: int | None
    message: str | None
    stack: list[str]


def platform_reads(path: Path) -> Parsed:
    lines = path.read_text(encoding="utf-8").split("\n")
    fields = lines[0].strip().split("\t")
    if len(fields) < 4:
        raise ValueError(f"invalid percent log file: {lines[0]}")
    task_id, timestamp, percent, state, *rest = fields
    if int(state) not in range(5):
        raise ValueError(f"no such state: {state}")
    code, message = int(rest[0]) if rest else None, rest[1] if len(rest) > 1 else None
    return Parsed(task_id, float(timestamp), float(percent), int(state), code, message, lines[1:100])


class Clock:
    """Stands still until it is told."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "monitor.txt"


def test_the_first_line_is_there_before_any_progress(path: Path) -> None:
    Monitor(path, TASK_ID, Clock()).start()
    assert path.read_bytes() == f"{TASK_ID}\t1700000000.000\t0.0000\t2\t0\n".encode()
    assert platform_reads(path) == Parsed(TASK_ID, Clock.now, 0.0, 2, 0, None, [""])


@pytest.mark.parametrize(
    ("report", "percent", "state"),
    [
        (lambda monitor: monitor.update(0.25), 0.25, 2),
        (lambda monitor: monitor.finish(), 1.0, 2),  # never 3: it would end the task on platforms <= 2.2
        (lambda monitor: monitor.fail(Code.MODEL, "no weights"), 0.0, 4),
        (lambda monitor: monitor.update(1 / 3), 0.3333, 2),
        (lambda monitor: monitor.update(1e-4), 0.0001, 2),  # no exponent
        (lambda monitor: monitor.update(70), 1.0, 2),  # percent is a fraction
    ],
)
def test_an_image_writes_running_or_error_and_a_fraction(
    path: Path, report: Callable[[Monitor], None], percent: float, state: int
) -> None:
    report(Monitor(path, TASK_ID, Clock()))
    parsed = platform_reads(path)
    assert (parsed.percent, parsed.state) == (percent, state)


def test_a_failure_carries_code_message_and_stack(path: Path) -> None:
    Monitor(path, TASK_ID).fail(Code.OUT_OF_MEMORY, "out of memory", "Traceback\n  line 1\nMemoryError")
    parsed = platform_reads(path)
    assert (parsed.state, parsed.code, parsed.message) == (4, 300103, "out of memory")
    assert parsed.stack == ["Traceback", "  line 1", "MemoryError", ""]


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("two\nlines", "two lines"),
        ("a\ttab", "a tab"),
        ("windows\r\nline", "windows line"),
        ("a\u2028b\x0bc", "a b c"),  # line ends to str.splitlines
        (" around ", "around"),
        ("图像 无法解码", "图像 无法解码"),
    ],
)
def test_a_message_stays_one_field_of_one_line(path: Path, message: str, written: str) -> None:
    Monitor(path, TASK_ID).fail(Code.CONFIG, message)
    assert platform_reads(path).message == written
    assert path.read_text(encoding="utf-8").count("\n") == 1


def test_the_end_of_a_long_stack_is_kept_within_100_lines(path: Path) -> None:
    Monitor(path, TASK_ID).fail(Code.CONTAINER, "failed", "\n".join(f"frame {i}" for i in range(500)))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert 50 < len(lines) <= 100
    assert lines[-1] == "frame 499"


def test_progress_is_written_at_most_once_a_second(path: Path) -> None:
    clock = Clock()
    monitor = Monitor(path, TASK_ID, clock)
    written = set()
    for step in range(1, 401):  # 20 s in steps of 0.05 s
        clock.now += 0.05
        monitor.update(step / 400)
        written.add(path.read_bytes())
    assert 19 <= len(written) <= 21


def test_the_last_line_is_never_held_back(path: Path) -> None:
    monitor = Monitor(path, TASK_ID, Clock())
    monitor.start()
    monitor.update(0.9)
    monitor.finish()
    assert platform_reads(path).percent == 1.0


def test_progress_never_goes_back(path: Path) -> None:
    clock = Clock()
    monitor = Monitor(path, TASK_ID, clock)
    seen = []
    for percent in (0.2, 0.1, -1.0, 0.5, 0.4, 0.7):
        clock.now += 2
        monitor.update(percent)
        seen.append(platform_reads(path).percent)
    assert seen == [0.2, 0.2, 0.2, 0.5, 0.5, 0.7]


@pytest.mark.parametrize(
    ("before", "percent"),
    [
        (MonitorLine(TASK_ID, 1.0, 0.6, State.RUNNING).text(), 0.6),  # killed and started again, or the parent's line
        (MonitorLine("another", 1.0, 0.6, State.RUNNING).text(), 0.0),  # of another task in the same folder
        (f"{TASK_ID}\t1.0\t0\t1\n", 0.0),  # what the platform writes before the start
        (MonitorLine(TASK_ID, 1.0, 0.6, State.ERROR, Code.NAN).text(), 0.0),  # a failed task begins anew
        ("not a monitor file\n", 0.0),
        ("", 0.0),
        (f"{TASK_ID}\t1.0\t50%\t2\n", 0.0),
    ],
)
def test_a_task_that_is_started_again_goes_on_from_where_it_was(path: Path, before: str, percent: float) -> None:
    path.parent.mkdir()
    path.write_text(before, encoding="utf-8")
    Monitor(path, TASK_ID).start()
    assert platform_reads(path).percent == percent


def test_a_failure_keeps_the_progress_that_another_process_reported(path: Path) -> None:
    parent = Monitor(path, TASK_ID)
    parent.start()
    Monitor(path, TASK_ID).update(0.6)
    parent.fail(Code.NAN, "the loss is NaN")
    assert platform_reads(path).percent == 0.6


def test_a_reader_never_sees_a_half_written_file(path: Path) -> None:
    monitor = Monitor(path, TASK_ID)
    monitor.start()
    done = threading.Event()
    percents, errors = [], []

    def poll() -> None:
        while not done.is_set():
            try:
                percents.append(platform_reads(path).percent)
            except (OSError, ValueError) as error:
                errors.append(error)

    reader = threading.Thread(target=poll)
    reader.start()
    for step in range(1, 301):
        Monitor(path, TASK_ID).update(step / 300)  # a new one is not throttled
    done.set()
    reader.join()
    assert errors == []
    assert percents == sorted(percents)
    assert len(percents) > 10
    assert [each.name for each in path.parent.iterdir()] == ["monitor.txt"]


def test_what_was_written_can_be_read_back(path: Path) -> None:
    progress = MonitorLine(TASK_ID, 12.5, 0.25, State.ERROR, 300001, "epochs: 0 is not allowed")
    path.parent.mkdir()
    path.write_text(progress.text(), encoding="utf-8")
    assert read_monitor(path) == progress
    assert read_monitor(path.with_name("absent")) is None
