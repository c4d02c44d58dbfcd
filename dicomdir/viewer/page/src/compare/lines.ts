/** Where the active picture lies in the others: a line in each that its plane cuts. */
import { sharesSpace, toImage } from "../dicom/geometry.ts";
import type { Stage } from "../view/stage.ts";
import type { Layer, Viewport } from "../view/viewport.ts";
import { cut } from "./planes.ts";

const DASH = [6, 4];

export function attachLines(stage: Stage, isOn: () => boolean): { redraw(): void } {
  const redraw = () => {
    for (const each of stage.viewports) each.redraw("graphics");
  };
  const layer: Layer = {
    order: 30,
    draw(context, viewport) {
      if (isOn()) drawLine(context, viewport, stage.active);
    },
  };
  stage.each((viewport) => {
    viewport.addLayer(layer);
    viewport.on((each, change) => {
      if (each === stage.active && change === "picture") redraw();
    });
  });
  stage.on(redraw);
  return { redraw };
}

function drawLine(context: CanvasRenderingContext2D, viewport: Viewport, active?: Viewport): void {
  const picture = active?.shown;
  const here = viewport.plane;
  const there = picture?.info.plane;
  if (viewport === active || !picture || !here || !there || !sharesSpace(here, there)) return;
  const ends = cut(there, picture.rows, picture.columns, here);
  if (!ends) return;
  const [a, b] = ends.map((each) => viewport.toScreen(toImage(here, each)));
  context.beginPath();
  context.moveTo(a!.x, a!.y);
  context.lineTo(b!.x, b!.y);
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / 60%)";
  context.stroke();
  context.lineWidth = 1.5;
  context.setLineDash(DASH);
  context.strokeStyle = "#7dff9b";
  context.stroke();
}
