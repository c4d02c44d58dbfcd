/** A pointer moved by keys: every tool without a mouse. Enter presses and lets go, Escape leaves. */
import type { Point } from "./matrix.ts";
import type { Drag, Tool } from "./tools.ts";
import type { Layer, Viewport } from "./viewport.ts";

const STEPS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const FAR = 12;

export interface KeyPointerHost {
  toolFor(viewport: Viewport, at: Point): Tool | null;
  hover(viewport: Viewport, at: Point): void;
}

export class KeyPointer {
  readonly layer: Layer;
  private readonly host: KeyPointerHost;
  private now: { viewport: Viewport; at: Point } | null = null;
  private drag: { tool: Tool | null; drag: Drag } | null = null;

  constructor(host: KeyPointerHost) {
    this.host = host;
    this.layer = { order: 95, draw: (context, viewport) => this.draw(context, viewport) };
  }

  get isOn(): boolean {
    return this.now !== null;
  }

  start(viewport: Viewport): void {
    this.now = { viewport, at: viewport.middle };
    viewport.element.focus();
    viewport.redraw("graphics");
  }

  stop(): void {
    if (this.drag) this.drag.tool?.cancel?.(this.drag.drag);
    this.drag = null;
    this.now?.viewport.redraw("graphics");
    this.now = null;
  }

  listen(viewport: Viewport): void {
    viewport.addLayer(this.layer);
    viewport.element.addEventListener("keydown", (event) => {
      if (this.now?.viewport !== viewport || !this.key(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    viewport.element.addEventListener("pointerdown", () => this.stop());
    viewport.element.addEventListener("blur", () => this.stop());
  }

  /** @returns Whether the key was meant for it. */
  private key(event: KeyboardEvent): boolean {
    const step = STEPS[event.key];
    if (step) {
      this.move(step, event.shiftKey ? 1 : FAR);
      return true;
    }
    if (event.key === "Escape") {
      this.stop();
      return true;
    }
    if (event.key !== "Enter" && event.key !== " ") return false;
    if (this.drag) this.release();
    else this.press();
    return true;
  }

  private move(step: Point, by: number): void {
    const { viewport, at } = this.now!;
    const { width, height } = viewport.size;
    const to = {
      x: Math.max(0, Math.min(width, at.x + step.x * by)),
      y: Math.max(0, Math.min(height, at.y + step.y * by)),
    };
    this.now = { viewport, at: to };
    if (this.drag) {
      const { drag, tool } = this.drag;
      drag.last = drag.now;
      drag.now = to;
      tool?.move?.(drag);
    } else this.host.hover(viewport, to);
    viewport.redraw("graphics");
  }

  private press(): void {
    const { viewport, at } = this.now!;
    const tool = this.host.toolFor(viewport, at);
    const event = new PointerEvent("pointerdown", { pointerType: "mouse" });
    const drag: Drag = { viewport, start: at, last: at, now: at, event, notes: {} };
    this.drag = { tool, drag };
    tool?.down?.(drag);
    viewport.redraw("graphics");
  }

  private release(): void {
    const { tool, drag } = this.drag!;
    this.drag = null;
    const isTap = drag.start.x === drag.now.x && drag.start.y === drag.now.y;
    tool?.up?.(drag, isTap);
    drag.viewport.redraw("graphics");
  }

  private draw(context: CanvasRenderingContext2D, viewport: Viewport): void {
    if (this.now?.viewport !== viewport) return;
    const { x, y } = this.now.at;
    context.beginPath();
    context.moveTo(x - 12, y);
    context.lineTo(x + 12, y);
    context.moveTo(x, y - 12);
    context.lineTo(x, y + 12);
    context.moveTo(x + 7, y);
    context.arc(x, y, 7, 0, 2 * Math.PI);
    for (const [width, colour] of [
      [5, "#000"],
      [2, this.drag ? "#ffd166" : "#fff"],
    ] as const) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}
