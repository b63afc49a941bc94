"""A stream that an interrupt may end while it waits for samples."""

import os
import select
import signal
from io import RawIOBase
from typing import BinaryIO, Self


class Interruptible(RawIOBase):
    """A stream in which an interrupt from the keyboard strikes while it waits, and only then.

    As a context manager it takes interrupts over: one that comes while samples
    are at work is kept until the next read, so that none is lost half way. The
    second strikes at once.
    """

    def __init__(self, handle: BinaryIO | RawIOBase) -> None:
        self.name = getattr(handle, "name", "<stream>")
        unbuffered = getattr(handle, "raw", handle)  # so that nothing waits where `select` is blind
        self._read = getattr(unbuffered, "read1", unbuffered.read)
        self._is_waiting = self._is_interrupted = False
        try:
            self._waited_for = [unbuffered.fileno()]
        except (AttributeError, OSError):
            self._waited_for = []  # it never waits, or wakes by itself

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        # An interrupt between the last look at it and the wait would be seen after the wait alone.
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._wake_before = signal.set_wakeup_fd(self._wake)
        return self

    def __exit__(self, *error: object) -> None:
        signal.set_wakeup_fd(self._wake_before)
        signal.signal(signal.SIGINT, self._before)
        os.close(self._woken)
        os.close(self._wake)

    def read(self, size: int = -1, /) -> bytes:
        """Return what has arrived, as soon as there is anything."""
        self._is_waiting = True
        try:
            if self._is_interrupted:
                raise KeyboardInterrupt
            if self._waited_for:
                select.select([*self._waited_for, self._woken], [], [])
            arrived: bytes = self._read(size)
            return arrived
        finally:
            self._is_waiting = False

    def _interrupt(self, number: int, frame: object) -> None:
        if self._is_waiting or self._is_interrupted:
            raise KeyboardInterrupt
        self._is_interrupted = True
