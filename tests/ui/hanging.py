"""Ports that hang: a call that does not come back until the test lets it go."""

from __future__ import annotations

import threading
from types import TracebackType


class Hanging:
    """Whatever was made to hang goes on at the end of the `with`: no thread outlives its test."""

    def __init__(self) -> None:
        self._may_go = threading.Event()
        self.is_in = threading.Event()
        """A call has come and hangs."""

    def __enter__(self) -> Hanging:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.let_go()

    def let_go(self) -> None:
        self._may_go.set()

    def at(self, port: object, method: str) -> None:
        """From now on this method waits before it does what it does."""
        usual = getattr(port, method)

        def hang(*args: object, **kwargs: object) -> object:
            self.is_in.set()
            if not self._may_go.wait(60):
                raise AssertionError(f"{method} was never let go")
            return usual(*args, **kwargs)

        setattr(port, method, hang)
