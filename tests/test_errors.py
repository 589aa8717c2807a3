"""The errors carry the platform's codes, and several are told as one."""

import pickle

import pytest

from common.errors import (
    BY_NAME,
    ConfigError,
    DatasetError,
    DeviceMismatchError,
    ImageError,
    ModelError,
    NanError,
    NetworkError,
    NoDeviceError,
    ObjectTypeError,
    OutOfMemoryError,
    Problems,
    StoppedError,
    YmirError,
)
from common.run.entry import Entry

CODES = [
    (YmirError, 160004),  # container
    (ConfigError, 300001),
    (DatasetError, 300002),
    (ImageError, 300003),
    (ModelError, 300004),
    (ObjectTypeError, 300005),
    (DeviceMismatchError, 300101),
    (NoDeviceError, 300102),
    (OutOfMemoryError, 300103),
    (NanError, 300201),
    (NetworkError, 300301),
    (StoppedError, 160004),
]


@pytest.mark.parametrize(("kind", "code"), CODES)
def test_each_error_has_the_platforms_code_and_fails_the_process(kind: type[YmirError], code: int) -> None:
    assert int(kind.code) == code
    assert 0 < kind.exit_status < 256
    assert BY_NAME[kind.__name__] is kind


def test_no_error_is_forgotten() -> None:
    assert set(BY_NAME.values()) == {kind for kind, _ in CODES}
    assert StoppedError.exit_status == 143  # 128 + SIGTERM


def test_an_error_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(ModelError("no weights")))
    assert (type(error), str(error)) == (ModelError, "no weights")


def _fail(error: Exception) -> None:
    raise error


def test_without_a_problem_nothing_is_raised() -> None:
    problems = Problems()
    assert problems.attempt(0, lambda: 7) == 7
    problems.raise_all()


def test_a_single_problem_is_raised_as_it_is() -> None:
    problems, error = Problems(), DatasetError("index: missing")
    assert problems.attempt("fallback", lambda: _fail(error)) == "fallback"
    with pytest.raises(DatasetError) as raised:
        problems.raise_all()
    assert raised.value is error


def test_several_problems_are_told_in_one_error_of_the_first_kind() -> None:
    problems = Problems()
    for error in (ConfigError("epochs: 0"), DatasetError("index: missing"), ModelError("none")):
        problems.attempt(None, lambda error=error: _fail(error))
    with pytest.raises(ConfigError, match=r"^3 problems: \(1\) epochs: 0; \(2\) index: missing; \(3\) none$"):
        problems.raise_all()


def test_a_mistake_of_ours_is_not_a_problem_of_the_user() -> None:
    with pytest.raises(ZeroDivisionError):
        Problems().attempt(None, lambda: 1 // 0)


def test_an_entry_point_is_imported_when_it_is_loaded() -> None:
    assert Entry("common.errors:ModelError").load() is ModelError
    with pytest.raises(AttributeError, match="nothing_like_it"):
        Entry("common.errors:nothing_like_it").load()
