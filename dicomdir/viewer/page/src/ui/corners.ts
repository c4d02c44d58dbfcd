/** What stands on the picture: orientation letters, number, window, and why there is no picture. */
import { letters, opposite, times } from "../dicom/geometry.ts";
import type { Viewport } from "../view/viewport.ts";
import { currentLanguage, onLanguage, t } from "../words.ts";
import { el } from "./dom.ts";
import { faultText } from "./faults.ts";

export function attachCorners(viewport: Viewport): void {
  const sides = ["left", "right", "top", "bottom"].map((side) =>
    el("span", { class: `side ${side}` }),
  );
  const number = el("div", { class: "corner bottom-left" });
  const window = el("div", { class: "corner bottom-right" });
  const notice = el("div", { class: "notice", role: "status" });
  viewport.element.append(...sides, number, window, notice);
  const draw = () => {
    const { source, picture } = viewport;
    const marks = sideLetters(viewport);
    sides.forEach((side, i) => {
      side.textContent = marks[i] ?? "";
    });
    number.textContent = source
      ? t("corner.number", { index: viewport.state.index + 1, count: source.count })
      : "";
    window.textContent = picture ? windowText(viewport) : "";
    notice.textContent = viewport.error
      ? faultText(viewport.error)
      : source && !picture
        ? t("notice.loading")
        : "";
  };
  viewport.on(draw);
  onLanguage(draw);
  draw();
}

export function windowText(viewport: Viewport): string {
  const { voi } = viewport;
  if (voi?.kind !== "window") return voi ? voi.lut.explanation : "";
  const round = (value: number, width: number) =>
    value.toLocaleString(currentLanguage(), { maximumFractionDigits: width < 20 ? 2 : 0 });
  const { center, width } = voi.window;
  return t("corner.window", { center: round(center, width), width: round(width, width) });
}

/** Letters at the left, right, top and bottom, as the image is turned now. */
export function sideLetters(viewport: Viewport): string[] {
  const info = viewport.picture?.info;
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
