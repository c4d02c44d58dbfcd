"""A window of WebKitGTK that a WebDriver drives and that writes down what its pages do.

Run by Debian's own Python: webkit_window.py FOLDER. MiniBrowser, which could be driven instead,
tells neither the requests nor the messages of a driven page. FOLDER/log has a record a line, [kind,
text] behind RS (RFC 7464), and between them what WebKit itself writes: the page's messages as
CONSOLE …. No page reaches a network: its proxy does not exist.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gdk, Gtk, WebKit2  # noqa: E402  # the versions have to be chosen first

_PROXY: Final = "http://127.0.0.1:9"
_MOUSE: Final = {
    "down": Gdk.EventType.BUTTON_PRESS,
    "up": Gdk.EventType.BUTTON_RELEASE,
    "move": Gdk.EventType.MOTION_NOTIFY,
    "wheel": Gdk.EventType.SCROLL,
}
_WATCH: Final = """window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});"""


class Window:
    """One page at a time: a page that is made takes the place of the one before."""

    def __init__(self, folder: Path) -> None:
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(self._log, 2)  # for the web process, which inherits it
        # Not an ephemeral one: WebKit writes no messages of private pages.
        data = WebKit2.WebsiteDataManager(
            base_data_directory=str(folder / "data"), base_cache_directory=str(folder / "cache")
        )
        proxy = WebKit2.NetworkProxySettings.new(_PROXY, None)
        data.set_network_proxy_settings(WebKit2.NetworkProxyMode.CUSTOM, proxy)
        self._context = WebKit2.WebContext.new_with_website_data_manager(data)
        self._context.set_preferred_languages(["en"])
        self._context.set_automation_allowed(True)
        self._context.connect("automation-started", self._begin)
        self._window = Gtk.Window(decorated=False)
        self._window.connect("destroy", Gtk.main_quit)

    def _say(self, kind: str, text: str) -> None:
        os.write(self._log, f"\x1e{json.dumps([kind, text])}\n".encode())

    def _begin(self, context: Any, session: Any) -> None:
        info = WebKit2.ApplicationInfo()
        info.set_name("WebKitGTK")
        numbers = (
            WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version(),
        )  # fmt: skip
        info.set_version(*numbers)
        session.set_application_info(info)
        session.connect("create-web-view", lambda session: self._page())

    def _page(self) -> Any:
        content = WebKit2.UserContentManager()
        content.add_script(
            WebKit2.UserScript.new(
                _WATCH, WebKit2.UserContentInjectedFrames.TOP_FRAME,
                WebKit2.UserScriptInjectionTime.START, None, None,
            )
        )  # fmt: skip
        content.connect("script-message-received::mouse", self._point)
        content.register_script_message_handler("mouse")
        view = WebKit2.WebView(
            web_context=self._context,
            user_content_manager=content,
            is_controlled_by_automation=True,
        )
        view.get_settings().set_enable_write_console_messages_to_stdout(True)
        view.connect("resource-load-started", self._asked)
        view.connect("script-dialog", self._dialog)
        view.connect("web-process-terminated", self._ended)
        view.connect("close", lambda view: view.destroy())
        for before in self._window.get_children():
            self._window.remove(before)
        self._window.add(view)
        self._window.show_all()
        return view

    def _asked(self, view: Any, resource: Any, request: Any) -> None:
        self._say("requests", request.get_uri())
        resource.connect("failed", lambda it, error: self._failed(view, it))

    def _failed(self, view: Any, resource: Any) -> None:
        if view in self._window.get_children():  # not of a page before
            self._say("failed", resource.get_uri())

    def _point(self, content: Any, result: Any) -> None:
        """An event of the mouse: the driver releases the left button only, and has no Ctrl+wheel.

        The message is [kind, x, y, button (1 left, 2, 3 right) or pixels down, modifiers held].
        """
        kind, x, y, number, held = json.loads(result.get_js_value().to_json(0))
        (view,) = self._window.get_children()
        event = Gdk.Event.new(_MOUSE[kind])
        event.set_device(Gdk.Display.get_default().get_default_seat().get_pointer())
        detail = {"wheel": event.scroll, "move": event.motion}.get(kind, event.button)
        detail.window, detail.x, detail.y = view.get_window(), x, y
        detail.state = Gdk.ModifierType(held)
        if kind == "wheel":
            detail.direction = Gdk.ScrollDirection.UP if number < 0 else Gdk.ScrollDirection.DOWN
        elif kind != "move":
            detail.button = number
        Gtk.main_do_event(event)

    def _dialog(self, view: Any, dialog: Any) -> bool:
        self._say("dialogs", dialog.get_message() or "")
        return False  # the driver dismisses it

    def _ended(self, view: Any, reason: Any) -> None:
        self._say("errors", f"the web process has ended: {reason.value_nick}")


if __name__ == "__main__":
    window = Window(Path(sys.argv[1]))
    Gtk.main()
