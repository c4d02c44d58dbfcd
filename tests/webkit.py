"""WebKitGTK for tests of pages, by its WebDriver (webkit2gtk-driver) in a window under Xvfb.

Only the driver and Xvfb are started here: the driver starts the window (webkit_window.py), which
writes down what WebDriver does not tell. Needs no D-Bus, no window manager and no sandbox of its
own; the same as root and as anybody else.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

SYSTEM_PYTHON: Final = "/usr/bin/python3"  # PyGObject is built for Debian's own
_WINDOW: Final = Path(__file__).with_name("webkit_window.py")
_SCREEN: Final = "1600x1200x24"
_STARTS_WITHIN_S: Final = 60.0
_ANSWERS_WITHIN_S: Final = 100.0
_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver 12.1, web element identifier
# WebDriver 17.4.2, the keys that tests press
_KEYS: Final = {
    "Backspace": "\ue003", "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008",
    "Control": "\ue009", "Alt": "\ue00a", "Escape": "\ue00c", "PageUp": "\ue00e",
    "PageDown": "\ue00f", "End": "\ue010", "Home": "\ue011", "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Delete": "\ue017",
}  # fmt: skip
_BUTTONS: Final = {"left": 1, "middle": 2, "right": 3}
_CONTROL, _HELD = 1 << 2, 1 << 8  # GdkModifierType: Control; the first button
# What the window writes: its own records, and messages of the page, which may have many lines.
_RECORD: Final = re.compile(
    r"^\x1e(?P<record>.*)$|^(?:\S+: )?CONSOLE (?P<message>(?:(?!^\x1e|^(?:\S+: )?CONSOLE ).*\n?)+)",
    re.MULTILINE,
)
# The page's policy forbids eval: what is asked for stands in the script itself.
_EVALUATE: Final = """const done = arguments[arguments.length - 1];
(async () => (
%s
))().then((value) => done({ value: value ?? null }), (error) => done({ error: String(error) }));"""
_UNTIL: Final = """(async () => {
  const end = performance.now() + %d;
  while (!(%s)) {
    if (performance.now() > end) throw new Error("it did not become true");
    await new Promise((next) => setTimeout(next, 20));
  }
  return true;
})()"""
_MOUSE: Final = """new Promise((end) => {
  addEventListener(%s, () => setTimeout(end), { capture: true, once: true });
  for (const each of %s) webkit.messageHandlers.mouse.postMessage(each);
})"""
_TOUCH: Final = """const [fingers] = arguments;
const capture = Element.prototype.setPointerCapture;
Element.prototype.setPointerCapture = () => undefined;  // there is no such pointer
const targets = fingers.map(([[x, y]]) => document.elementFromPoint(x, y));
const fire = (type, finger, [x, y]) => targets[finger].dispatchEvent(new PointerEvent(type, {
  bubbles: true, cancelable: true, composed: true, pointerType: "touch", pointerId: 100 + finger,
  isPrimary: finger === 0, clientX: x, clientY: y, button: type === "pointermove" ? -1 : 0,
  buttons: type === "pointerup" ? 0 : 1,
}));
const each = (type, step) => fingers.forEach((way, finger) => fire(type, finger, way.at(step)));
each("pointerdown", 0);
for (let step = 1; step < fingers[0].length; step++) each("pointermove", step);
each("pointerup", -1);
Element.prototype.setPointerCapture = capture;"""
_NO_DIALOG: Final = """addEventListener("click", function held(event) {
  if (event.target.type !== "file") return;
  event.preventDefault();
  removeEventListener("click", held, true);
}, true);"""
# Files that a driver hands over have no folder: the test says it, the bytes are WebKit's own.
_RELATIVE: Final = """const paths = arguments[0];
addEventListener("change", (event) => {
  [...event.target.files].forEach((file, at) => {
    Object.defineProperty(file, "webkitRelativePath", { value: paths[at] });
  });
}, { capture: true, once: true });"""


def program() -> str | None:
    """The WebDriver, where it is installed."""
    return shutil.which("WebKitWebDriver")


class WebKit:
    """One page at a time, by the same words as dicomdir/viewer/page/driver/driver.mjs."""

    def __init__(self, port: int, pid: int, folder: Path) -> None:
        """Start a session with the driver that listens on the port; the window logs to folder."""
        self.pid = pid
        self._port = port
        self._log = folder / "log"
        self._seen = 0  # bytes of the log that belong to pages before
        self._session = ""
        options = {"binary": SYSTEM_PYTHON, "args": [str(_WINDOW), str(folder)]}
        wanted = {
            "webkitgtk:browserOptions": options,
            "unhandledPromptBehavior": "dismiss",
            "timeouts": {"script": 1000 * int(_ANSWERS_WITHIN_S)},
        }
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"

    def ask(self, action: str, options: dict[str, Any]) -> Any:
        """One action and its answer."""
        act: Callable[..., Any] = getattr(self, f"_{action}")
        return act(**{"start" if name == "from" else name: it for name, it in options.items()})

    def end(self) -> None:
        """Close the window."""
        self._call("DELETE", "")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWERS_WITHIN_S)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(
                method, self._session + path, data, {"Content-Type": "application/json"}
            )
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        assert not (isinstance(answer, dict) and "error" in answer and "stacktrace" in answer), (
            f"{answer['error']}: {answer['message']}"
        )
        return answer

    def _run(self, script: str, *values: Any) -> Any:
        return self._call("POST", "/execute/sync", {"script": script, "args": list(values)})

    def _find(self, selector: str) -> str:
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def _open(self, url: str, width: int = 1280, height: int = 800, touch: bool = False) -> None:
        """Waits for the scripts, too, that the page adds. Touch changes nothing: there is none."""
        before = self._call("GET", "/window")
        made = self._call("POST", "/window/new", {"type": "window"})
        self._call("POST", "/window", {"handle": before})
        self._call("DELETE", "/window")
        self._call("POST", "/window", {"handle": made["handle"]})
        self._resize(width, height)
        self._seen = self._log.stat().st_size
        self._call("POST", "/url", {"url": url})

    def _resize(self, width: int, height: int) -> None:
        self._call("POST", "/window/rect", {"width": width, "height": height})

    def _evaluate(self, code: str) -> Any:
        answer = self._call("POST", "/execute/async", {"script": _EVALUATE % code, "args": []})
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def _until(self, code: str, timeout: float) -> bool:
        return bool(self._evaluate(_UNTIL % (timeout, code)))

    def _click(self, selector: str) -> None:
        self._call("POST", f"/element/{self._find(selector)}/click", {})

    def _type(self, selector: str, text: str) -> None:
        self._call("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def _key(self, key: str) -> None:
        """ "Shift+r" and the like, or one key."""
        parts = [part for part in key.split("+") if part] if len(key) > 1 else [key]
        values = [_KEYS.get(part, part) for part in parts]
        down = [{"type": "keyDown", "value": value} for value in values]
        up = [{"type": "keyUp", "value": value} for value in reversed(values)]
        source = {"type": "key", "id": "keys", "actions": [*down, *up]}
        self._call("POST", "/actions", {"actions": [source]})

    def _wheel(self, x: int, y: int, dy: int, ctrl: bool = False) -> None:
        """One notch, up or down by the sign."""
        self._mouse(["wheel", x, y, dy, _CONTROL if ctrl else 0])

    def _drag(
        self, start: list[float], to: list[float], button: str = "left", steps: int = 4
    ) -> None:
        number = _BUTTONS[button]
        held = _HELD << (number - 1)
        ways = [
            [a + (b - a) * step / steps for a, b in zip(start, to, strict=True)]
            for step in range(1, steps + 1)
        ]
        self._mouse(
            ["move", *start, 0, 0],
            ["down", *start, number, 0],
            *(["move", *way, 0, held] for way in ways),
            ["up", *to, number, held],
        )

    def _move(self, x: float, y: float) -> None:
        self._mouse(["move", x - 1, y, 0, 0], ["move", x, y, 0, 0])

    def _mouse(self, *events: list[Any]) -> None:
        """Through the window, not the driver; until the page has seen the last."""
        seen = {"wheel": "wheel", "move": "pointermove", "up": "pointerup"}[events[-1][0]]
        self._evaluate(_MOUSE % (json.dumps(seen), json.dumps(events)))

    def _touch(self, fingers: list[list[list[float]]]) -> None:
        """Each finger's way, by events of the page's own: neither driver nor window has touch."""
        self._run(_TOUCH, fingers)

    def _close(self) -> None:
        self._call("POST", "/url", {"url": "about:blank"})

    def _screenshot(self, path: str, selector: str | None = None) -> None:
        where = f"/element/{self._find(selector)}" if selector else ""
        Path(path).write_bytes(base64.b64decode(self._call("GET", f"{where}/screenshot")))

    def _pick(self, selector: str, paths: list[str]) -> None:
        """As the dialog for a folder would answer; WebKit cancels the dialog of a driven page.

        Raises:
            AssertionError: The page asks for no folder.
        """
        self._run(_NO_DIALOG)
        self._click(selector)
        (folder,) = map(Path, paths)
        files = [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]
        relative = [str(Path(path).relative_to(folder.parent)) for path in files]
        self._run(_RELATIVE, relative)
        field = self._find("input[type=file][webkitdirectory]")
        self._call("POST", f"/element/{field}/value", {"text": "\n".join(files)})

    def _report(self) -> dict[str, list[str]]:
        # Violations are told of in tasks of their own: those before this one.
        seen = "new Promise((end) => setTimeout(() => end(window.__violations ?? []), 20))"
        violations = self._evaluate(seen)
        kinds = ("console", "errors", "requests", "failed", "dialogs")
        out: dict[str, list[str]] = {kind: [] for kind in kinds}
        text = self._log.read_bytes()[self._seen :].decode(errors="replace")
        for found in _RECORD.finditer(text):
            kind, said = (
                ("console", found["message"].rstrip("\n"))
                if found["record"] is None
                else json.loads(found["record"])
            )
            out[kind].append(said)
        return {**out, "violations": violations}


@contextmanager
def webkit(driver: str, folder: Path) -> Iterator[WebKit]:
    """Start a screen, the driver on a port of the system's choice, and a window; end all three."""
    found = Path("/usr/lib").glob("*/girepository-1.0/WebKit2-4.1.typelib")
    assert any(found), "gir1.2-webkit2-4.1 is not installed"  # the driver would wait for ever
    runtime = folder / "run"
    runtime.mkdir(0o700)
    with _screen() as display:
        environment = {
            **os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(runtime), "DISPLAY": display,
            "DBUS_SESSION_BUS_ADDRESS": "disabled:", "GSETTINGS_BACKEND": "memory",
            "NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11",
            "WEBKIT_DISABLE_DMABUF_RENDERER": "1",  # twice as fast without a GPU
        }  # fmt: skip
        process = subprocess.Popen(
            [driver, "--host=127.0.0.1", "--port=0"], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            made = WebKit(_port_of(process), process.pid, folder)
            yield made
            made.end()
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its window and WebKit's processes with it
            process.wait()


@contextmanager
def _screen() -> Iterator[str]:
    """An X server; gives its display."""
    program = shutil.which("Xvfb")
    assert program is not None, "Xvfb is not installed"
    read, write = os.pipe()
    with os.fdopen(read) as chosen:
        try:
            server = subprocess.Popen(
                [program, "-displayfd", str(write), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
                pass_fds=[write], stderr=subprocess.DEVNULL,
            )  # fmt: skip
        finally:
            os.close(write)
        try:
            number = chosen.readline().strip()
            assert number, "Xvfb did not start"
            yield f":{number}"
        finally:
            server.terminate()
            server.wait()


def _port_of(process: subprocess.Popen[bytes]) -> int:
    """The port on which a process listens, as soon as it does."""
    own = Path(f"/proc/{process.pid}")
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        for line in (own / "net/tcp").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and _has_socket(own, rest[5]):  # 0A: it listens; its inode
                return int(local.partition(":")[2], 16)
        time.sleep(0.02)  # it says nothing when it is ready
    raise AssertionError("WebKitWebDriver did not start")


def _has_socket(process: Path, inode: str) -> bool:
    for each in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if str(each.readlink()) == f"socket:[{inode}]":
                return True
    return False
