// What the kiosk's page does beside drawing (textual.js, before this script, draws): letters as large
// as the screen takes, fingers as a mouse, nothing that leads away, and a way back after a crash.

"use strict";

(() => {
  const USUAL = [80, 24]; // columns, rows
  const LARGE = [64, 20]; // the least that every screen has room on: kiosk/widgets/screen.py
  const WISHES = { "sendhome:text=large": LARGE, "sendhome:text=usual": USUAL }; // kiosk/widgets/page_letters.py
  const IN_USE = 4009; // kiosk/serve/server.py
  const AGAIN_MS = 1000;
  const SETTLES_MS = 250;

  // --- nothing leads away ---------------------------------------------------------------------

  window.open = (address) => {
    if (Object.hasOwn(WISHES, address)) grow(WISHES[address]);
    return null; // a link on the receipt is text
  };
  const never = (event) => event.preventDefault();
  // What one person typed is not there for the next to paste.
  Object.defineProperty(navigator, "clipboard", {
    value: { readText: async () => "", writeText: async () => {} },
  });
  for (const kind of ["copy", "cut", "paste"]) {
    window.addEventListener(
      kind,
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
      },
      true,
    );
  }
  for (const kind of ["contextmenu", "dragstart", "drop", "dragover", "gesturestart", "auxclick"]) {
    window.addEventListener(kind, never, { capture: true, passive: false });
  }
  window.addEventListener("wheel", (event) => event.ctrlKey && never(event), {
    capture: true,
    passive: false,
  });
  window.addEventListener(
    "keydown",
    (event) => {
      const isBrowsers = event.ctrlKey || event.altKey || event.metaKey || /^F\d+$/.test(event.key);
      if (isBrowsers && !event.getModifierState("AltGraph")) never(event);
    },
    true,
  );

  // --- a finger is a mouse --------------------------------------------------------------------
  // Of a touch a browser makes a click, but no way from one place to another: nobody could sign.

  let finger = null;

  function asMouse(kind, touch, buttons) {
    const target = document.elementFromPoint(touch.clientX, touch.clientY) ?? document.body;
    target.dispatchEvent(
      new MouseEvent(kind, {
        bubbles: true,
        cancelable: true,
        view: window,
        detail: 1,
        button: 0,
        buttons,
        clientX: touch.clientX,
        clientY: touch.clientY,
        screenX: touch.screenX,
        screenY: touch.screenY,
      }),
    );
  }

  function mine(event) {
    return [...event.changedTouches].find((touch) => touch.identifier === finger);
  }

  function touched(event) {
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "touchstart") {
      if (finger !== null) return; // a palm, a second hand
      const touch = event.changedTouches[0];
      finger = touch.identifier;
      asMouse("mousemove", touch, 0);
      asMouse("mousedown", touch, 1);
      return;
    }
    const touch = mine(event);
    if (!touch) return;
    if (event.type === "touchmove") {
      asMouse("mousemove", touch, 1);
      return;
    }
    finger = null;
    asMouse("mouseup", touch, 0);
  }

  for (const kind of ["touchstart", "touchmove", "touchend", "touchcancel"]) {
    window.addEventListener(kind, touched, { capture: true, passive: false });
  }

  // --- the end of a session, and the next -----------------------------------------------------

  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...args) {
      super(...args);
      this.addEventListener("close", (event) => ended(event.code));
    }

    send(data) {
      if (this.readyState === Plain.OPEN) super.send(data); // the size is told again once it is
    }
  };

  function ended(code) {
    document.getElementById("terminal").remove(); // with the last screen on it
    document.body.classList.add(code === IN_USE ? "-elsewhere" : "-closed");
    window.setTimeout(begin, code === IN_USE ? 3 * AGAIN_MS : AGAIN_MS);
  }

  /** From the start, as soon as somebody answers: a browser's own error page is none of ours. */
  async function begin() {
    try {
      if ((await fetch("/", { cache: "no-store" })).ok) {
        window.location.reload();
        return;
      }
    } catch {
      // nobody yet
    }
    window.setTimeout(begin, AGAIN_MS);
  }

  // --- the start ------------------------------------------------------------------------------

  let [columns, rows] = USUAL;

  /** The largest letters with which all columns and rows are there. */
  function letters() {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = '100px "Roboto Mono"';
    const size = pen.measureText("W");
    const wide = size.width / 100;
    const high = (size.fontBoundingBoxAscent + size.fontBoundingBoxDescent) / 100;
    for (let pixels = 96; pixels > 8; pixels -= 1) {
      // A cell is whole pixels of the screen: xterm.js rounds its width down and its height up.
      const ratio = window.devicePixelRatio;
      const cell = [Math.floor(wide * pixels * ratio) / ratio, Math.ceil(high * pixels * ratio) / ratio];
      if (cell[0] * columns <= window.innerWidth && cell[1] * rows <= window.innerHeight) return pixels;
    }
    return 8;
  }

  /** Once the window has its size: a compositor may give it after the page is there. */
  async function settled() {
    for (let last = "", now = ""; ; last = now) {
      now = `${window.innerWidth} ${window.innerHeight}`;
      if (now === last && window.innerHeight > 0) return;
      await new Promise((done) => window.setTimeout(done, SETTLES_MS));
    }
  }

  /** Letters of another size on the terminal that is there: the visit goes on. */
  function draw() {
    const terminal = window.sendhomeTerminal; // kiosk/serve/server.py
    if (!terminal) return;
    const wanted = letters();
    if (terminal.options.fontSize !== wanted) terminal.options.fontSize = wanted;
    window.onresize?.(); // textual.js fits columns and rows to it
  }

  function grow(size) {
    [columns, rows] = size;
    draw();
  }

  function listen() {
    document.querySelector(".xterm-helper-textarea")?.focus();
  }

  const begun = window.onload;
  window.onload = async (event) => {
    const weights = ["400", "700"];
    await Promise.all(weights.map((it) => document.fonts.load(`${it} 16px "Roboto Mono"`)));
    await settled();
    document.getElementById("terminal").dataset.fontSize = String(letters());
    begun(event);
    let waiting = 0;
    window.addEventListener("resize", () => {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(draw, 2 * SETTLES_MS);
    });
    listen();
    document.addEventListener("focusout", () => window.setTimeout(listen, 0));
    window.addEventListener("focus", listen);
  };
})();
