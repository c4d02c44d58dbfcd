/** What stands on the picture: corners, orientation letters, and why there is no picture. */
import { letters, opposite, times } from "../dicom/geometry.ts";
import { shownNumber } from "../numbers.ts";
import type { Viewport } from "../view/viewport.ts";
import { apart, onLanguage, t } from "../words.ts";
import { cornersOf } from "./corner_texts.ts";
import { el } from "./dom.ts";
import { faultText } from "./faults.ts";
import { gapsIn, gapText, onGaps } from "./gaps.ts";

const PLACES = ["top-left", "top-right", "bottom-left", "bottom-right"] as const;
type Place = (typeof PLACES)[number];

export function attachCorners(viewport: Viewport): void {
  const sides = ["left", "right", "top", "bottom"].map((side) =>
    el("span", { class: `side ${side}` }),
  );
  const corners = PLACES.map((place) => el("div", { class: `corner ${place}` }));
  const notice = el("div", { class: "notice", role: "status" });
  const rows = [corners.slice(0, 2), corners.slice(2)].map((each, i) =>
    el("div", { class: `texts ${i ? "foot" : "head"}` }, ...each, sides[2 + i]!),
  );
  viewport.element.append(sides[0]!, sides[1]!, ...rows, notice);
  let fitted = "";
  let isDue = false;
  let wasDrawn = false;
  const draw = () => {
    if (!wasDrawn && viewport.shown) {
      // The first dates and numbers in a language take longer than the first picture, which goes first.
      wasDrawn = true;
      requestAnimationFrame(() => setTimeout(draw));
      return;
    }
    isDue = false;
    const marks = sideLetters(viewport);
    for (const [i, side] of sides.entries()) set(side, marks[i] ?? "");
    const texts = cornerTexts(viewport);
    for (const [i, corner] of corners.entries()) setLines(corner, texts[PLACES[i]!]);
    const { width, height } = viewport.size;
    const now = [width, height, ...corners.map((each) => each.textContent)].join("|");
    if (now !== fitted && viewport.shown) {
      fitted = now;
      fitTexts(viewport, rows, corners);
    }
    set(notice, noticeText(viewport));
    notice.classList.toggle("quiet", viewport.coarse !== null);
    viewport.element.setAttribute("aria-label", texts["bottom-left"].join(", "));
  };
  // Once for each picture of the screen, however much changes between two.
  const later = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  };
  viewport.on(later);
  onLanguage(later);
  onGaps(later);
  draw();
}

function noticeText({ error, source, picture, coarse }: Viewport): string {
  if (error) return faultText(error);
  if (coarse) return t("notice.coarse");
  return source && !picture ? t("notice.loading") : "";
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A line each, so that a long one is cut by itself; what is read out is as before. */
function setLines(corner: HTMLElement, lines: string[]): void {
  if (corner.textContent === lines.join("\n")) return;
  corner.replaceChildren(...lines.flatMap((line, i) => [i ? "\n" : "", el("span", {}, line)]));
}

/** Of the pane's height, for the lines above and for those below. */
const MOST_HEIGHT = 0.4;
/** Pixels below the texts; in narrow panes the scale is there. */
const BELOW = { wide: 6, narrow: 32 };

/**
 * Leave out what a small pane has no room for, the least worth first: institution, technique, zoom,
 * study, window, compression, side. Whose image it is stays, and its number as long as it can.
 */
function fitTexts(viewport: Viewport, rows: HTMLElement[], corners: HTMLElement[]): void {
  const { width, height } = viewport.size;
  const [, study, left, right] = corners.map(
    (each) => [...each.querySelectorAll("span")] as HTMLElement[],
  ) as [HTMLElement[], HTMLElement[], HTMLElement[], HTMLElement[]];
  const { technique, lossy } = cornersOf(viewport.shown!.info);
  const isTechnique = (each: HTMLElement) => technique.includes(each.textContent ?? "");
  const number = left.pop();
  const [compression, zoom, window] = lossy ? right : [undefined, ...right];
  const ranked = [
    ...left.filter((each) => !isTechnique(each)),
    compression,
    window,
    ...study.slice(1).reverse(),
    zoom,
    ...left.filter(isTechnique),
    study[0],
  ].filter((each) => each !== undefined);
  const [head, foot] = rows as [HTMLElement, HTMLElement];
  const em = Number.parseFloat(getComputedStyle(head).fontSize);
  const isNarrow = width < 34 * em;
  viewport.element.classList.toggle("narrow", isNarrow);
  // Two ems are those of the letter beside the picture.
  const half = height / 2 - 2 * em - BELOW[isNarrow ? "narrow" : "wide"];
  const mostBelow = Math.min(MOST_HEIGHT * height, half);
  const isFull = () => head.offsetHeight > MOST_HEIGHT * height || foot.offsetHeight > mostBelow;
  for (const each of [...ranked, number]) if (each) each.hidden = false;
  if (isFull()) {
    for (const each of ranked) each.hidden = true;
    for (const each of ranked) {
      const heights = [head.offsetHeight, foot.offsetHeight];
      each.hidden = false;
      const grew = [head.offsetHeight > heights[0]!, foot.offsetHeight > heights[1]!];
      each.hidden =
        (grew[0]! && head.offsetHeight > MOST_HEIGHT * height) ||
        (grew[1]! && foot.offsetHeight > mostBelow);
    }
    if (number) number.hidden = head.offsetHeight + foot.offsetHeight > height;
  }
  const taken = isNarrow ? height - foot.offsetTop : 0;
  if (taken === viewport.foot) return;
  viewport.foot = taken;
  viewport.redraw();
}

/** Lines of the four corners, also those that are printed. */
export function cornerTexts(viewport: Viewport): Record<Place, string[]> {
  const { source, shown } = viewport;
  const texts: Record<Place, string[]> = {
    "top-left": [],
    "top-right": [],
    "bottom-left": [],
    "bottom-right": [],
  };
  if (!source) return texts;
  if (shown) {
    const of = cornersOf(shown.info);
    texts["top-left"] = of.patient;
    texts["top-right"] = of.study;
    texts["bottom-left"] = [of.side, ...of.technique].filter(Boolean);
    texts["bottom-right"] = [
      of.lossy,
      t("corner.zoom", { percent: Math.round(viewport.scale * viewport.ratio * 100) }),
      windowText(viewport),
    ]
      .filter(Boolean)
      .map(apart);
  }
  const name = source.label?.() ?? "";
  texts["bottom-left"].push(
    [name, t("corner.number", { index: viewport.state.index + 1, count: source.count })]
      .filter(Boolean)
      .map(apart)
      .join("  "),
  );
  // At the two images between which they would stand.
  const { index } = viewport.state;
  const gap = gapsIn(source.key).find(({ after }) => after === index || after + 1 === index);
  if (gap) texts["bottom-left"].unshift(apart(gapText(gap))); // not beside the scale
  return texts;
}

export function windowText(viewport: Viewport): string {
  const { voi, shown } = viewport;
  if (voi?.kind !== "window") return voi ? voi.lut.explanation : "";
  const digits = voi.window.width < 20 ? 2 : 0;
  const { center, width } = voi.window;
  // A state's window is on values that the state makes; that of colours on parts of white.
  const rescale = shown?.kind === "colour" ? null : (voi.rescale ?? shown?.info.rescale);
  const numbers = t("corner.window", {
    center: shownNumber(center, digits),
    width: shownNumber(width, digits),
  });
  return [numbers, rescale?.unit].filter(Boolean).join(" ");
}

/** Letters at the left, right, top and bottom, as the image is turned now. */
export function sideLetters(viewport: Viewport): string[] {
  const info = viewport.shown?.info;
  if (!info) return ["", "", "", ""];
  const { a, b } = viewport.matrix;
  const { rotation, flip } = viewport.state;
  const [row, column] = info.plane
    ? [letters(times(info.plane.row, 1)), letters(times(info.plane.column, 1))]
    : info.orientation;
  // Where a row's end and a column's end point on the screen, in quarters clockwise from right.
  const rowEnd = Math.abs(a) > Math.abs(b) ? (a > 0 ? 0 : 2) : b > 0 ? 1 : 3;
  const turns = rotation / 90;
  const downEnd = flip ? [1, 0, 3, 2][turns]! : [1, 2, 3, 0][turns]!;
  const at: string[] = ["", "", "", ""];
  at[rowEnd] = row;
  at[(rowEnd + 2) % 4] = opposite(row);
  at[downEnd] = column;
  at[(downEnd + 2) % 4] = opposite(column);
  return [at[2]!, at[0]!, at[3]!, at[1]!];
}
