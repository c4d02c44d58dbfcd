/** "Show this point everywhere": one point of the patient, marked in every picture that has it. */
import type { Vec3 } from "../dicom/geometry.ts";
import { sharesSpace, toImage } from "../dicom/geometry.ts";
import type { Stage } from "../view/stage.ts";
import type { Drag, Tool } from "../view/tools.ts";
import type { Layer, Viewport } from "../view/viewport.ts";
import { catalogueOf } from "./catalogue.ts";
import { isWithin, nearestFrame } from "./planes.ts";
import type { Sync } from "./sync.ts";

const ARM = 14;
const GAP = 4;

export class Cursor {
  private point: { at: Vec3; from: Viewport } | null = null;
  private readonly stage: Stage;
  private readonly sync: Sync;
  readonly tool: Tool;

  constructor(stage: Stage, sync: Sync) {
    this.stage = stage;
    this.sync = sync;
    const move = ({ viewport, now }: Drag) => this.show(viewport, viewport.toImage(now));
    this.tool = { id: "cursor", cursor: "crosshair", down: move, move };
    const layer: Layer = { order: 50, draw: (context, viewport) => this.draw(context, viewport) };
    stage.each((viewport) => viewport.addLayer(layer));
  }

  clear(): void {
    this.point = null;
    this.redraw();
  }

  /** Other viewports go to the frame that has the point. */
  show(from: Viewport, image: { x: number; y: number }): void {
    const at = from.imageToPatient(image);
    const { plane } = from;
    if (!at || !plane) return;
    this.point = { at, from };
    this.sync.quietly(() => {
      for (const each of this.stage.viewports) {
        const all = each !== from && each.source ? catalogueOf(each.source) : null;
        const found = all && nearestFrame(all.planes, plane, at, each.state.index);
        if (found) each.update({ index: found.index });
      }
    });
    this.redraw();
  }

  private redraw(): void {
    for (const each of this.stage.viewports) each.redraw("graphics");
  }

  private draw(context: CanvasRenderingContext2D, viewport: Viewport): void {
    const { plane, source } = viewport;
    if (!this.point || !plane || !source) return;
    const { at, from } = this.point;
    if (!from.plane || !sharesSpace(plane, from.plane)) return;
    const step = catalogueOf(source)?.step ?? 0;
    if (!isWithin(plane, at, step)) return;
    const { x, y } = viewport.toScreen(toImage(plane, at));
    context.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      context.moveTo(x + dx * GAP, y + dy * GAP);
      context.lineTo(x + dx * ARM, y + dy * ARM);
    }
    context.lineWidth = 4;
    context.strokeStyle = "rgb(0 0 0 / 60%)";
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = "#ff7d7d";
    context.stroke();
  }
}
