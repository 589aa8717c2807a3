"""Failures of a task, with the platform's codes.

    YmirError                160004  exit 70   anything that has no class of its own
    +-- ConfigError          300001  exit 64   a key of env.yaml or config.yaml
    +-- DatasetError         300002  exit 65   an index or annotation file
    +-- ImageError           300003  exit 65   an image that cannot be decoded, or too many of them
    +-- ModelError           300004  exit 66   weights that are missing, unreadable or made for other classes
    +-- ObjectTypeError      300005  exit 64   an object type that this image does not support
    +-- DeviceMismatchError  300101  exit 69   a GPU that this build of the framework cannot use
    +-- NoDeviceError        300102  exit 69   a GPU that is not there
    +-- OutOfMemoryError     300103  exit 71   the memory of the GPU or of the machine
    +-- NanError             300201  exit 70   a loss that is not a number
    +-- NetworkError         300301  exit 75   a download that failed
    +-- StoppedError         160004  exit 143  a stop by SIGTERM

The message is a sentence that names the key or file, its value, and what is allowed. It becomes the last line of the
log and the sixth field of monitor.txt, which is all that most users see.
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from common.contract import EXIT_STOPPED, Code


class YmirError(Exception):
    """Base of all failures with a platform code.

    Attributes:
        code: fifth field of monitor.txt.
        exit_status: exit status of the process; the value of BSD's `sysexits.h` nearest in meaning.
        details: stack trace from another process, for developers; empty where the message is enough.
    """

    code: ClassVar[Code] = Code.CONTAINER
    exit_status: ClassVar[int] = 70
    details: str = ""


class ConfigError(YmirError):
    """A key of env.yaml or config.yaml is missing, unknown or out of range."""

    code = Code.CONFIG
    exit_status = 64


class DatasetError(YmirError):
    """An index or annotation file is missing, empty or malformed."""

    code = Code.DATASET
    exit_status = 65


class ImageError(YmirError):
    """An image cannot be decoded, or too many of them."""

    code = Code.IMAGE
    exit_status = 65


class ModelError(YmirError):
    """Weights are missing, unreadable, or made for other classes."""

    code = Code.MODEL
    exit_status = 66


class ObjectTypeError(YmirError):
    """The project's object type is not supported by this image."""

    code = Code.OBJECT_TYPE
    exit_status = 64


class DeviceMismatchError(YmirError):
    """The GPU is there, but this build of the framework does not support it."""

    code = Code.DEVICE_MISMATCH
    exit_status = 69


class NoDeviceError(YmirError):
    """config.yaml names a GPU that is not there."""

    code = Code.NO_DEVICE
    exit_status = 69


class OutOfMemoryError(YmirError):
    """The GPU or the machine ran out of memory."""

    code = Code.OUT_OF_MEMORY
    exit_status = 71


class NanError(YmirError):
    """The loss became NaN or infinite and did not recover."""

    code = Code.NAN
    exit_status = 70


class NetworkError(YmirError):
    """A download failed. Only the build of an image downloads anything; a task never does."""

    code = Code.NETWORK
    exit_status = 75


class StoppedError(YmirError):
    """The task was asked to stop."""

    exit_status = EXIT_STOPPED


_ALL: tuple[type[YmirError], ...] = (YmirError, *YmirError.__subclasses__())
BY_NAME = {kind.__name__: kind for kind in _ALL}
"""Classes by name: an error crosses a process boundary as the name of its class."""


T = TypeVar("T")


class Problems:
    """Collects failures, so that users see all their mistakes at once."""

    def __init__(self) -> None:
        self._errors: list[YmirError] = []

    def attempt(self, fallback: T, read: Callable[[], T]) -> T:
        """Return `read()`, or `fallback` if it fails; the failure is kept."""
        try:
            return read()
        except StoppedError:  # not a mistake of the user: SIGTERM arrived while the files were being read
            raise
        except YmirError as error:
            self._errors.append(error)
            return fallback

    def has(self, kind: type[YmirError]) -> bool:
        """Return whether a failure of this kind was collected."""
        return any(isinstance(error, kind) for error in self._errors)

    def raise_all(self) -> None:
        """Raise one error with all messages and the class of the first; do nothing if there was none."""
        different = {str(error): error for error in reversed(self._errors)}  # train and val may name the same file
        errors = [error for error in self._errors if different[str(error)] is error]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            message = "; ".join(f"({i}) {error}" for i, error in enumerate(errors, 1))
            raise type(errors[0])(f"{len(errors)} problems: {message}")
