/** Mouse, pen, fingers and wheel on a viewport, handed to the tools. */
import type { Point } from "./matrix.ts";
import type { Drag, Tool } from "./tools.ts";
import type { Viewport } from "./viewport.ts";

export interface Hands {
  /** The tool of a button: 0 left (and one finger), 1 middle, 2 right. */
  toolFor(button: number, event: PointerEvent, viewport: Viewport, at: Point): Tool | null;
  /** A click of the right button or a long press at a point of the viewport. */
  menu(viewport: Viewport, at: Point): void;
  /** The mouse moves without a button. */
  hover(viewport: Viewport, at: Point, event: PointerEvent): void;
  /** A viewport was touched or clicked. */
  activate(viewport: Viewport): void;
}

const TAP_PIXELS = 4;
const LONG_PRESS_MS = 550;
/** Of the wheel: what mice and touchpads call a step differs. */
const LINE = 33;
const NOTCH = 60;

export function attachPointer(viewport: Viewport, hands: Hands): void {
  const { element } = viewport;
  const fingers = new Map<number, Point>();
  let press = 0;
  let hasMenu = false;
  let drag: Drag | null = null;
  let tool: Tool | null = null;

  const point = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const drop = () => {
    if (drag) tool?.cancel?.(drag);
    drag = null;
  };

  element.addEventListener("pointerdown", (event) => {
    hands.activate(viewport);
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    const now = point(event);
    fingers.set(event.pointerId, now);
    clearTimeout(press);
    if (fingers.size > 1) {
      drop();
      return;
    }
    tool = hands.toolFor(event.button, event, viewport, now);
    drag = { viewport, start: now, last: now, now, event, notes: {} };
    tool?.down?.(drag);
    if (event.button === 1) event.preventDefault(); // no scrolling cross
    if (event.pointerType !== "touch") return;
    press = window.setTimeout(() => {
      drop();
      hasMenu = true;
      hands.menu(viewport, now);
    }, LONG_PRESS_MS);
  });

  element.addEventListener("pointermove", (event) => {
    const now = point(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      hands.hover(viewport, now, event);
      return;
    }
    if (fingers.size === 2) pinch(viewport, fingers, event.pointerId, now);
    fingers.set(event.pointerId, now);
    if (!drag || fingers.size > 1) return;
    if (Math.hypot(now.x - drag.start.x, now.y - drag.start.y) >= TAP_PIXELS) clearTimeout(press);
    drag.last = drag.now;
    drag.now = now;
    drag.event = event;
    tool?.move?.(drag);
  });

  const ended = (event: PointerEvent) => {
    clearTimeout(press);
    if (!fingers.delete(event.pointerId) || !drag) return;
    drag.event = event;
    const { start, now } = drag;
    const isTap = Math.hypot(now.x - start.x, now.y - start.y) < TAP_PIXELS;
    if (event.button === 2 && isTap && event.type === "pointerup") {
      tool?.cancel?.(drag);
      hands.menu(viewport, now);
    } else if (event.type === "pointerup") tool?.up?.(drag, isTap);
    else tool?.cancel?.(drag);
    drag = null;
  };
  element.addEventListener("pointerup", ended);
  element.addEventListener("pointercancel", ended);
  // The finger that goes would click what the menu has under it.
  element.addEventListener("touchend", (event) => {
    if (hasMenu) event.preventDefault();
    hasMenu = false;
  });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  attachWheel(viewport, hands, point);
}

/** Two fingers: what is between them stays between them. */
function pinch(viewport: Viewport, fingers: Map<number, Point>, moved: number, now: Point): void {
  const before = fingers.get(moved)!;
  const other = [...fingers].find(([id]) => id !== moved)![1];
  const distance = (a: Point) => Math.max(8, Math.hypot(a.x - other.x, a.y - other.y));
  viewport.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  viewport.zoomBy(distance(now) / distance(before), middle);
}

/** The wheel scrolls; with Ctrl, which touchpads send for a pinch, it zooms. */
function attachWheel(viewport: Viewport, hands: Hands, point: (event: MouseEvent) => Point): void {
  let held = 0;
  viewport.element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      hands.activate(viewport);
      const pixels =
        event.deltaY * (event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? 400 : 1);
      if (event.ctrlKey || event.metaKey) {
        viewport.zoomBy(Math.exp(-pixels / 400), point(event));
        return;
      }
      if (Math.sign(pixels) !== Math.sign(held)) held = 0;
      held += pixels;
      // One notch of a mouse is one image at least; a touchpad adds up.
      const frames = Math.abs(pixels) >= NOTCH ? Math.sign(pixels) : Math.trunc(held / NOTCH);
      if (frames) {
        held = 0;
        viewport.scrollBy(frames);
      }
    },
    { passive: false },
  );
}
