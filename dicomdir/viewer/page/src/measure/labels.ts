/** What stands beside a measurement: numbers, units, and what they are worth. */
import { type Picture, storedValue } from "../data/source.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { scalesOf } from "../dicom/scales.ts";
import type { Spacing, SpacingSource } from "../dicom/spacing.ts";
import { type Rescale, rescaled } from "../dicom/voi.ts";
import { shownNumber } from "../numbers.ts";
import { t } from "../words.ts";
import { angleOf, areaOf, lengthOf, type Size } from "./lengths.ts";
import type { Measurement } from "./model.ts";
import { valuesIn } from "./region.ts";

export function labelOf(measurement: Measurement, picture: Picture): string[] {
  const { kind, points, text } = measurement;
  const { spacing } = picture.info;
  const [a, b, c] = points;
  if (!a) return [];
  if (kind === "arrow") return text.split("\n");
  if (kind === "value") return [...valueAt(picture, a.x, a.y), place(a.x, a.y)];
  if (!b) return [];
  if (kind === "length") {
    const size = lengthOf(spacing, a, b);
    return [sized(size), ...worth(size.source, spacing)];
  }
  if (kind === "angle") {
    if (!c) return [];
    return [`${number(angleOf(spacing, a, b, c), 1)}°`];
  }
  return region(measurement, picture);
}

function region({ kind, points }: Measurement, picture: Picture): string[] {
  const [a, b] = points;
  const shape = kind === "ellipse" ? "ellipse" : "rectangle";
  const area = areaOf(picture.info.spacing, a!, b!, shape);
  const lines = [t("measure.area", { area: sized(area) })];
  const found = valuesIn(picture, a!, b!, shape);
  if (found) {
    const { least, most, recorded, step, mean, deviation } = found;
    const fine = digitsFor(step, Math.max(Math.abs(least), Math.abs(most)));
    const digits = fine || (most - least < 10 ? 2 : 0);
    lines.unshift(
      t("measure.mean", {
        mean: united(shownNumber(mean, fine || 1, fine || 1), found.unit),
        sd: shownNumber(deviation, fine || 1, fine || 1),
      }),
      t("measure.range", {
        least: shownNumber(least, digits, fine),
        most: united(shownNumber(most, digits, fine), found.unit),
      }),
      ...(recorded ? [inOwn(number(recorded.mean, 1), recorded.unit)] : []),
      ...remarksOf(picture.info),
    );
  }
  return [...lines, ...worth(area.source, picture.info.spacing)];
}

function sized({ value, unit }: Size): string {
  if (unit === "mm2" && value >= 100) return `${number(value / 100, 2)} cm²`;
  if (unit === "mm2") return `${number(value, 1)} mm²`;
  if (unit === "px2") return t("measure.pixels2", { value: number(value, 0) });
  if (unit === "px") return t("measure.pixels", { value: number(value, 1) });
  return `${number(value, 1)} mm`;
}

/** A warning where a length is not the patient's; nothing where it is. */
function worth(source: SpacingSource, spacing: Spacing): string[] {
  if (source === "none") {
    return [t(spacing.source === "region" ? "worth.outside" : "worth.none")];
  }
  return source === "pixel" || source === "region" ? [] : [t(`worth.${source}`)];
}

/** "-87 HU", or the three colours; then what the object itself has there, and what it is worth. */
export function valueAt(picture: Picture, imageX: number, imageY: number): string[] {
  const [x, y] = [Math.floor(imageX), Math.floor(imageY)];
  if (x < 0 || y < 0 || x >= picture.columns || y >= picture.rows) return [t("measure.outside")];
  const index = y * picture.columns + x;
  if (picture.kind === "colour") {
    return [[...picture.rgba.subarray(4 * index, 4 * index + 3)].join(" / ")];
  }
  const stored = storedValue(picture, index);
  const { info } = picture;
  // A mask that was moved left nothing to subtract here.
  if (info.mask && stored === info.padding?.[0]) return ["–", ...remarksOf(info)];
  const { shown, recorded } = scalesOf(info, stored);
  const own = recorded ? [inOwn(valueText(recorded, stored), recorded.unit)] : [];
  return [united(valueText(shown, stored), shown.unit), ...own, ...remarksOf(info)];
}

function valueText(scale: Rescale, stored: number): string {
  const value = rescaled(scale, stored);
  const digits = digitsFor(scale.lut ? 1 : scale.slope, Math.abs(value));
  return shownNumber(value, digits, digits);
}

/** Of values in such steps: none of whole ones, else so many that four say something. */
function digitsFor(step: number, size: number): number {
  if (step % 1 === 0) return 0;
  return Math.max(1, Math.min(9, 3 - Math.floor(Math.log10(size || 1))));
}

function united(value: string, unit: string): string {
  return unit ? `${value} ${unit}` : value;
}

function inOwn(value: string, unit: string): string {
  return t("value.recorded", { value: united(value, unit) });
}

/** Why values are not in the unit that a reader expects, and that they are differences. */
export function remarksOf({ noSuv, mask, rescale }: FrameInfo): string[] {
  const frame = mask?.contrast.join(", ") ?? "";
  const masks = mask?.frames.join(", ") ?? "";
  const moved = mask ? shiftText(mask.shift) : "";
  return [
    ...(rescale.isFlat ? [t("value.flat")] : []),
    ...(noSuv ? [t("suv.none", { why: t(`suv.${noSuv}`) })] : []),
    ...(mask ? [t("value.difference", { frame, masks })] : []),
    ...(moved ? [t("value.moved", { by: moved })] : []),
  ];
}

/** "0.5 ↓ 1.25 →", pixels. */
function shiftText([down, left]: readonly [number, number]): string {
  const part = (by: number, to: string, fro: string) =>
    by ? [`${shownNumber(Math.abs(by), 3)} ${by > 0 ? to : fro}`] : [];
  return [...part(down, "↓", "↑"), ...part(left, "←", "→")].join(" ");
}

function place(x: number, y: number): string {
  return t("measure.pixel", { x: Math.floor(x), y: Math.floor(y) });
}

/** Without zeros that say nothing. */
export function plain(value: number, digits: number): string {
  return shownNumber(value, digits);
}

/** One digit is always written: 12.0 mm was measured more closely than 12 mm. */
export function number(value: number, digits: number): string {
  return shownNumber(value, digits, digits === 1 ? 1 : 0);
}
