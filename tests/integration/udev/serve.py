"""Mocked devices and the messages of a udev that does not run. Started by `Bed` under the system's
Python and umockdev's hook.

Says its folder as one JSON line, then obeys JSON lines on stdin, one answer each; ends with its
stdin.
"""

import json
import sys
from pathlib import Path

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402 - the version must be asked for before


def obey(testbed, order):
    root = Path(testbed.get_root_dir())
    path = order.get("path", "")
    match order["do"]:
        case "add":  # tells of it by itself
            testbed.add_from_string(order["text"])
        case "change":
            # set_property only adds; what is not told any more must go
            told = "".join(f"{key}={value}\n" for key, value in order["properties"].items())
            (root / path[1:] / "uevent").write_text(told)
            for name, value in order["attributes"].items():
                testbed.set_attribute(path, name, value)
            testbed.uevent(path, order["action"])
        case "remove":
            testbed.uevent(path, "remove")
            testbed.remove_device(path)
            # it leaves a disk's link, and breaks when the same one comes again
            (root / "sys" / "block" / Path(path).name).unlink(missing_ok=True)
        case word:
            raise ValueError(word)


def main():
    testbed = UMockdev.Testbed.new()
    print(json.dumps({"root": testbed.get_root_dir()}), flush=True)
    for line in sys.stdin:
        obey(testbed, json.loads(line))
        print("{}", flush=True)


if __name__ == "__main__":
    main()
