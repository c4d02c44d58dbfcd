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
  viewport.element.append(...sides, ...corners, notice);
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
    for (const [i, corner] of corners.entries()) set(corner, texts[PLACES[i]!].join("\n"));
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
