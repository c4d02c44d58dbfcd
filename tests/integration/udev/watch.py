"""The engine's own watch over mocked devices; started by test_devices_command. Says READY, then how
many changes it had seen whenever it was woken, and the drives whose button it answers; ends
with its stdin.
"""

import sys
import threading
from pathlib import Path

from kiosk.adapters.devices import UdevWatch


def main():
    name, place = sys.argv[1:]
    ended = threading.Event()

    def answer(drive):
        print("button", drive, flush=True)
        raise ValueError("must not end it")

    with UdevWatch({name: Path(place)}) as watch, watch.answering(answer):
        threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
        print("READY", flush=True)
        seen = 0
        while not ended.is_set():
            watch.sleep_s(name, seen, 0.2)
            if watch.changes(name) != seen:
                seen = watch.changes(name)
                print(seen, flush=True)
    print("ENDED", flush=True)


if __name__ == "__main__":
    main()
