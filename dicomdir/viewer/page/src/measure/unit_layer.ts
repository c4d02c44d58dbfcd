/** On the picture: the unit of its values, why there is no better one, and what was subtracted. */
import type { Layer } from "../view/viewport.ts";
import { apart } from "../words.ts";
import { remarksOf } from "./labels.ts";

/** Above the scale bar and the letter of the lower side. */
const BOTTOM = 50;
const LINE = 16;

export const unitLayer: Layer = {
  order: 36,
  draw(context, viewport) {
    const info = viewport.shown?.info;
    if (!info) return;
    // That of windows too, which a mapping onto the real world has no part in.
    const { unit } = info.rescale;
    // Of CT nothing else is expected.
    const texts = [unit === "HU" ? "" : unit, ...remarksOf(info)].filter(Boolean);
    const { width, height } = viewport.size;
    context.font = '12px system-ui, "Segoe UI", "Noto Sans", sans-serif';
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.lineWidth = 3;
    context.strokeStyle = "rgb(0 0 0 / 70%)";
    context.fillStyle = "#fff";
    const lines = texts.flatMap((text) => fold(context, text, width - 2 * LINE)).map(apart);
    lines.forEach((line, i) => {
      const y = height - Math.max(BOTTOM, viewport.foot) - LINE * (lines.length - 1 - i);
      context.strokeText(line, width / 2, y);
      context.fillText(line, width / 2, y);
    });
  },
};

/** Lines of a text that are no wider than this, as far as its words allow. */
function fold(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && context.measureText(longer).width <= width)
      lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
