/** The picture as it is seen, with name and date and a mark, as PNG and on paper. */
import type { App } from "../app.ts";
import { T } from "../dicom/tags.ts";
import type { Viewport } from "../view/viewport.ts";
import { apart, t } from "../words.ts";
import { cornerTexts, sideLetters } from "./corners.ts";
import { isoDate } from "./dates.ts";
import { el } from "./dom.ts";

const STRIP = 30;
const FONT = 'px system-ui, "Segoe UI", "Noto Sans", sans-serif';

/** One picture with its texts and the mark; null where nothing is shown. */
export function copyOf(viewport: Viewport): HTMLCanvasElement | null {
  const { picture, size, ratio } = viewport;
  if (!picture) return null;
  viewport.drawNow();
  const canvas = el("canvas");
  const [width, height] = [size.width, size.height + STRIP];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  for (const each of viewport.element.querySelectorAll<HTMLCanvasElement>("canvas")) {
    context.drawImage(each, 0, 0, size.width, size.height);
  }
  context.direction = "ltr"; // as the pictures are; each text is set apart
  drawTexts(context, viewport);
  drawMark(context, viewport, width, size.height);
  return canvas;
}

function drawTexts(context: CanvasRenderingContext2D, viewport: Viewport): void {
  const { width, height } = viewport.size;
  const texts = cornerTexts(viewport);
  context.font = `13${FONT}`;
  for (const [place, lines] of Object.entries(texts)) {
    const isRight = place.endsWith("right");
    const isLow = place.startsWith("bottom");
    context.textAlign = isRight ? "right" : "left";
    context.textBaseline = "top";
    const top = isLow ? height - lines.length * 17 - 6 : 6;
    for (const [i, line] of lines.entries()) {
      text(context, line, isRight ? width - 8 : 8, top + 17 * i);
    }
  }
  context.font = `16${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const [left, right, top, bottom] = sideLetters(viewport);
  text(context, left ?? "", 16, height / 2);
  text(context, right ?? "", width - 16, height / 2);
  text(context, top ?? "", width / 2, 14);
  text(context, bottom ?? "", width / 2, height - 44);
}

function text(context: CanvasRenderingContext2D, line: string, x: number, y: number): void {
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.strokeText(line, x, y);
  context.fillStyle = "#fff";
  context.fillText(line, x, y);
}

/** Always there, whatever of the texts is switched off: whose it is, of when, and that it is a copy. */
function drawMark(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  width: number,
  top: number,
): void {
  const { root } = viewport.picture!.info.attributes;
  const [name = "", id = ""] = cornerTexts(viewport)["top-left"];
  const date = root.string(T.StudyDate) || root.string(T.ContentDate);
  context.fillStyle = "#fff";
  context.fillRect(0, top, width, STRIP);
  context.fillStyle = "#000";
  context.textBaseline = "middle";
  context.font = `13${FONT}`;
  context.textAlign = "left";
  const half = width * 0.58;
  const whose = [name, id, isoDate(date)].filter(Boolean).join("   ");
  context.fillText(whose, 8, top + STRIP / 2, half - 12);
  context.textAlign = "right";
  const now = new Date();
  const made = [now.getFullYear(), now.getMonth() + 1, now.getDate()]
    .map((each) => String(each).padStart(2, "0"))
    .join("-");
  const mark = apart(t("export.mark", { date: made }));
  context.fillText(mark, width - 8, top + STRIP / 2, width - half - 12);
}

export function savePng(app: App): void {
  const canvas = copyOf(app.stage.active);
  canvas?.toBlob((blob) => {
    if (!blob) return;
    const url = URL.createObjectURL(blob);
    // No name of a patient in the name of a file.
    const link = el("a", { href: url, download: `image-${app.stage.active.state.index + 1}.png` });
    app.slots.over.append(link);
    link.click();
    link.remove();
    window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }, "image/png");
}

/** All pictures of the layout, as they hang. */
export async function printAll(app: App): Promise<void> {
  const { viewports, grid } = app.stage;
  const shown = app.stage.element.classList.contains("solo") ? [app.stage.active] : viewports;
  const images = await Promise.all(
    shown.flatMap((viewport) => {
      const canvas = copyOf(viewport);
      return canvas ? [imageOf(canvas)] : [];
    }),
  );
  if (!images.length) return;
  const sheet = el("div", { id: "print" }, ...images);
  sheet.style.gridTemplateColumns = `repeat(${shown.length > 1 ? grid.columns : 1}, 1fr)`;
  document.body.append(sheet);
  const done = () => {
    for (const each of images) URL.revokeObjectURL(each.src);
    sheet.remove();
    window.removeEventListener("afterprint", done);
  };
  window.addEventListener("afterprint", done);
  window.print();
}

function imageOf(canvas: HTMLCanvasElement): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (!blob) {
        reject(new Error("no picture"));
        return;
      }
      const image = el("img", { alt: "" });
      image.onload = () => resolve(image);
      image.src = URL.createObjectURL(blob);
    }, "image/png");
  });
}
