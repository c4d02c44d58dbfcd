/** Drawing measurements and changing them, by dragging or by one click for each point. */
import type { Point } from "../view/matrix.ts";
import type { Drag, Tool } from "../view/tools.ts";
import type { Viewport } from "../view/viewport.ts";
import { type Hit, hitTest, withHandle } from "./hit.ts";
import { type MeasureKind, type Measurement, type Measurements, ownerOf, POINTS } from "./model.ts";

/** CSS pixels about a handle, of a mouse and of a finger. */
const REACH = 9;
const FINGER = 24;

/** Asks for the text of an arrow; null: none wanted. */
export type AskText = (now: string) => Promise<string | null>;

export class MeasureTools {
  private readonly measurements: Measurements;
  private readonly ask: AskText;
  /** Begun and not ended: the last of its points follows the pointer. */
  private pending: { id: number; viewport: Viewport } | null = null;

  constructor(measurements: Measurements, ask: AskText) {
    this.measurements = measurements;
    this.ask = ask;
  }

  tools(): Tool[] {
    return (Object.keys(POINTS) as MeasureKind[]).map((kind) => this.tool(kind));
  }

  /** The tool that changes what lies under the pointer, whatever tool is chosen. */
  grab(viewport: Viewport, at: Point, event: { pointerType?: string }): Tool | null {
    if (this.pending) return null;
    const reach = event.pointerType === "touch" ? FINGER : REACH;
    const hit = hitTest(viewport, this.measurements.of(viewport.picture), at, reach);
    if (!hit) {
      this.measurements.select(0);
      return null;
    }
    return this.editTool(hit);
  }

  /** Give up what is begun. @returns Whether there was something. */
  abandon(): boolean {
    if (!this.pending) return false;
    const { id } = this.pending;
    this.pending = null;
    this.measurements.remove(id);
    return true;
  }

  private tool(kind: MeasureKind): Tool {
    return {
      id: kind,
      cursor: "crosshair",
      down: (drag) => this.down(kind, drag),
      move: (drag) => this.follow(drag.viewport, drag.now),
      up: (drag, isTap) => this.up(drag, isTap),
      cancel: () => void this.abandon(),
      hover: (viewport, at) => this.follow(viewport, at),
    };
  }

  private down(kind: MeasureKind, { viewport, now }: Drag): void {
    const { picture } = viewport;
    if (!picture) return;
    const known = this.pending && this.measurements.get(this.pending.id);
    if (known && this.pending?.viewport === viewport && known.owner === ownerOf(picture)) {
      this.follow(viewport, now);
      return;
    }
    this.abandon();
    const at = viewport.toImage(now);
    const points = POINTS[kind] === 1 ? [at] : [at, at];
    const id = this.measurements.add({ kind, owner: ownerOf(picture), points, text: "" });
    this.pending = { id, viewport };
  }

  private follow(viewport: Viewport, at: Point): void {
    const made = this.pending && this.measurements.get(this.pending.id);
    if (!made || this.pending?.viewport !== viewport) return;
    const points = [...made.points.slice(0, -1), viewport.toImage(at)];
    this.measurements.change(made.id, { points });
  }

  private up({ viewport, now }: Drag, isTap: boolean): void {
    const made = this.pending && this.measurements.get(this.pending.id);
    if (!made) return;
    const isFirst = made.points.length === 2 && isSame(viewport, made) && POINTS[made.kind] > 1;
    if (isTap && isFirst) return; // the next press sets the other end
    if (made.points.length < POINTS[made.kind]) {
      const points = [...made.points, viewport.toImage(now)];
      this.measurements.change(made.id, { points });
      return;
    }
    this.pending = null;
    if (made.kind === "arrow") void this.askText(made);
  }

  private async askText(made: Measurement): Promise<void> {
    const text = await this.ask(made.text);
    if (text === null) return;
    this.measurements.change(made.id, { text: text.trim().slice(0, 200) });
  }

  private editTool({ measurement, handle }: Hit): Tool {
    const { id, points } = measurement;
    let moved = false;
    return {
      id: "edit",
      cursor: handle < 0 ? "move" : "grabbing",
      down: () => this.measurements.select(id),
      move: ({ viewport, start, now }) => {
        moved = true;
        const to = viewport.toImage(now);
        const from = viewport.toImage(start);
        const next =
          handle < 0
            ? points.map((each) => ({ x: each.x + to.x - from.x, y: each.y + to.y - from.y }))
            : withHandle(measurement, handle, to);
        this.measurements.change(id, { points: next });
      },
      up: (_, isTap) => {
        if (isTap && moved) this.measurements.change(id, { points });
      },
      cancel: () => this.measurements.change(id, { points }),
    };
  }

  /** Change the text of the chosen arrow. */
  edit(id: number): void {
    const made = this.measurements.get(id);
    if (made?.kind === "arrow") void this.askText(made);
  }
}

/** Whether both points lie on one spot of the screen. */
function isSame(viewport: Viewport, { points }: Measurement): boolean {
  const [a, b] = points.map((each) => viewport.toScreen(each));
  return !!a && !!b && Math.hypot(a.x - b.x, a.y - b.y) < 4;
}
