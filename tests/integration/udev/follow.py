"""Follows devices as any process of ours would, under umockdev's hook; started by `Follower`.

Obeys words on stdin; answers are pickles in base64, a line each:
    start     makes a stream; its devices
    listen    makes the source of the next stream, which is thus there before its snapshot
    lose N    the next N messages are lost, and the socket says so
    wait      until what was told so far is taken
    tell      what came since: events, the stream's devices, and those of a fresh look

Messages are read as they come: the mocked socket holds ten of them, and then breaks.
"""

import base64
import os
import pickle
import select

from burner.devices import DeviceStream, list_devices
from burner.devices.source import OverflowedError, UdevSource


class Lossy(UdevSource):
    """Loses messages as the kernel does: what came before the loss is read first."""

    to_lose = 0

    def receive(self):
        if self.to_lose:
            lost = 0
            while lost < self.to_lose and super().receive() is not None:
                lost += 1
            self.to_lose -= lost
            if lost:
                raise OverflowedError
        return super().receive()


def answer(value):
    print(base64.b64encode(pickle.dumps(value)).decode(), flush=True)


class Follower:
    """One stream after the other."""

    def __init__(self):
        self.next = self.source = self.stream = None
        self.events = []

    def take(self):
        if self.stream is not None:
            self.events += self.stream.pending()

    def obey(self, word, number):
        match word:
            case "listen":
                self.next = Lossy()
            case "start":
                if self.stream is not None:
                    self.stream.__exit__(None, None, None)
                self.source, self.next = self.next or Lossy(), None
                self.stream = DeviceStream(self.source)
                self.events.clear()
                return self.stream.devices()
            case "lose":
                self.take()
                self.source.to_lose = int(number)
            case "wait":
                self.take()
            case "tell":
                self.take()
                events, self.events = self.events, []
                return events, self.stream.devices(), list_devices()
        return None

    def lines(self):
        """Of stdin; messages are taken meanwhile."""
        rest = b""
        while True:
            poll = select.poll()
            poll.register(0, select.POLLIN)
            if self.source is not None:
                poll.register(self.source.fileno(), select.POLLIN)
            if 0 not in [ready for ready, _events in poll.poll()]:
                self.take()
                continue
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode() for line in lines)


def main():
    follower = Follower()
    for line in follower.lines():
        word, _, number = line.partition(" ")
        answer(follower.obey(word, number))


if __name__ == "__main__":
    main()
