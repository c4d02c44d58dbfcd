/**
 * What dragging on a picture does. A tool is registered once and chosen for a button by the state;
 * a tool that marks something draws it in a Layer of its own.
 */
import type { Point } from "./matrix.ts";
import type { Viewport } from "./viewport.ts";
import { asWindow } from "./voi_choice.ts";

/** One press, from going down to coming up. Points are screen coordinates of the viewport. */
export interface Drag {
  viewport: Viewport;
  start: Point;
  last: Point;
  now: Point;
  event: PointerEvent;
  /** A tool's own notes, from down to up. */
  notes: Record<string, unknown>;
}

export interface Tool {
  /** Also the key of its words: "tool.scroll". */
  readonly id: string;
  readonly cursor: string;
  down?(drag: Drag): void;
  move?(drag: Drag): void;
  /** `isTap`: it came up where it went down. */
  up?(drag: Drag, isTap: boolean): void;
  /** Another finger came, or the browser took the pointer away. */
  cancel?(drag: Drag): void;
  /** The mouse moves without a button. */
  hover?(viewport: Viewport, at: Point, event: PointerEvent): void;
}

export type ToolId = string;

const PIXELS_A_FRAME = 8;

/** Up and down through the frames; a whole drag over the height goes through a long series. */
export const scrollTool: Tool = {
  id: "scroll",
  cursor: "ns-resize",
  down(drag) {
    drag.notes["index"] = drag.viewport.state.index;
  },
  move({ viewport, start, now, notes }) {
    const count = viewport.source?.count ?? 1;
    const step = Math.max(1.5, Math.min(PIXELS_A_FRAME, (0.8 * viewport.size.height) / count));
    const index = (notes["index"] as number) + Math.round((now.y - start.y) / step);
    viewport.update({ index: Math.max(0, Math.min(count - 1, index)) });
  },
};

/** Right is wider, down is darker… as PACS stations do: up raises the centre. */
export const windowTool: Tool = {
  id: "window",
  cursor: "crosshair",
  move({ viewport, last, now }) {
    const { shown } = viewport;
    if (!shown) return;
    const voi = asWindow(viewport.voi, shown);
    const { window } = voi;
    // One pixel is a 300th of the width, so that narrow and wide windows feel alike.
    const step = Math.max(window.width, 1e-6) / 300;
    const least = window.fn === "LINEAR" ? 1 : 1e-6;
    viewport.update({
      voi: {
        ...voi,
        window: {
          ...window,
          name: "",
          center: window.center + (now.y - last.y) * step,
          width: Math.max(least, window.width + (now.x - last.x) * step * 2),
        },
      },
    });
  },
};

export const panTool: Tool = {
  id: "pan",
  cursor: "move",
  move({ viewport, last, now }) {
    viewport.panBy(now.x - last.x, now.y - last.y);
  },
};

export const zoomTool: Tool = {
  id: "zoom",
  cursor: "zoom-in",
  move({ viewport, start, last, now }) {
    viewport.zoomBy(Math.exp((last.y - now.y) / 150), start);
  },
};
