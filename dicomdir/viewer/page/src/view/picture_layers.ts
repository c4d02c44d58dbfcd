/** What belongs to the picture itself: its shutter, and its overlay planes. */

import { type Overlay, overlayMask } from "../dicom/overlay.ts";
import { fits, type Shutter } from "../dicom/shutter.ts";
import type { Layer, Viewport } from "./viewport.ts";

const COLOUR = [255, 221, 87]; // seen on black and on white

/** Everything outside of the shutter is covered, and what its bitmap marks. */
const shutterLayer: Layer = {
  order: 0,
  draw(context, viewport) {
    const shutter = viewport.shown?.info.shutter;
    if (shutter) shut(context, viewport, shutter);
  },
};

/** Leaves the context in image coordinates. */
export function shut(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  shutter: Shutter,
): void {
  const { shown } = viewport;
  if (!shown) return;
  const shade = Math.round(shutter.shade * 255);
  context.fillStyle = `rgb(${shade} ${shade} ${shade})`;
  const { a, b, c, d, e, f } = viewport.matrix;
  context.transform(a, b, c, d, e, f);
  for (const cut of shapes(shutter)) {
    context.beginPath();
    context.rect(0, 0, shown.columns, shown.rows);
    cut(context);
    context.fill("evenodd");
  }
  if (!shutter.bitmap || !fits(shutter, shown)) return;
  const { x, y } = shutter.bitmap;
  context.imageSmoothingEnabled = false;
  context.drawImage(planeOf(shutter.bitmap, null, [shade, shade, shade]), x, y);
}

function shapes(shutter: Shutter): ((context: CanvasRenderingContext2D) => void)[] {
  const out: ((context: CanvasRenderingContext2D) => void)[] = [];
  const { rectangle, circle, polygon } = shutter;
  if (rectangle) {
    const { x0, y0, x1, y1 } = rectangle;
    out.push((context) => context.rect(x0, y0, x1 - x0, y1 - y0));
  }
  if (circle) out.push((context) => context.arc(circle.x, circle.y, circle.radius, 0, 2 * Math.PI));
  if (polygon) {
    out.push((context) => {
      for (const [x, y] of polygon) context.lineTo(x, y);
      context.closePath();
    });
  }
  return out;
}

const planes = new WeakMap<Overlay, HTMLCanvasElement>();

const overlayLayer: Layer = {
  order: 10,
  draw(context, viewport) {
    const { picture } = viewport;
    if (!picture?.info.overlays.length) return;
    const { a, b, c, d, e, f } = viewport.matrix;
    context.transform(a, b, c, d, e, f);
    context.imageSmoothingEnabled = false;
    for (const overlay of picture.info.overlays) {
      const cells = picture.kind === "grey" ? picture.cells : null;
      context.drawImage(planeOf(overlay, cells, COLOUR), overlay.x, overlay.y);
    }
  },
};

/** @param cells Of the picture, where the plane's bits stand in them. */
function planeOf(
  overlay: Overlay,
  cells: ArrayLike<number> | null,
  colour: readonly number[],
): HTMLCanvasElement {
  let canvas = planes.get(overlay);
  if (!canvas) {
    canvas = document.createElement("canvas");
    canvas.width = overlay.columns;
    canvas.height = overlay.rows;
    const context = canvas.getContext("2d")!;
    const data = context.createImageData(overlay.columns, overlay.rows);
    const mask = overlayMask(overlay, cells);
    for (let i = 0; i < mask.length; i++) {
      if (mask[i]) data.data.set([...colour, 255], 4 * i);
    }
    context.putImageData(data, 0, 0);
    planes.set(overlay, canvas);
  }
  return canvas;
}

export const pictureLayers: readonly Layer[] = [shutterLayer, overlayLayer];
