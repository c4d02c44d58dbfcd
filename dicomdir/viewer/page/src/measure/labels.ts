/** What stands beside a measurement: numbers, units, and what they are worth. */
import type { Picture } from "../data/source.ts";
import { storedValue } from "../data/source.ts";
import type { Spacing, SpacingSource } from "../dicom/spacing.ts";
import { rescaled } from "../dicom/voi.ts";
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
  if (kind === "value") return [valueAt(picture, a.x, a.y), place(a.x, a.y)];
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
    const digits = picture.info.rescale.slope % 1 || found.most - found.least < 10 ? 2 : 0;
    const unit = found.unit ? ` ${found.unit}` : "";
    lines.unshift(
      t("measure.mean", { mean: number(found.mean, 1) + unit, sd: number(found.deviation, 1) }),
      t("measure.range", {
        least: number(found.least, digits),
        most: number(found.most, digits) + unit,
      }),
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

/** "-87 HU", or the three colours. */
export function valueAt(picture: Picture, imageX: number, imageY: number): string {
  const [x, y] = [Math.floor(imageX), Math.floor(imageY)];
  if (x < 0 || y < 0 || x >= picture.columns || y >= picture.rows) return t("measure.outside");
  const index = y * picture.columns + x;
  if (picture.kind === "colour") {
    return [...picture.rgba.subarray(4 * index, 4 * index + 3)].join(" / ");
  }
  const { rescale } = picture.info;
  const value = rescaled(rescale, storedValue(picture, index));
  return `${number(value, rescale.slope % 1 ? 3 : 0)}${rescale.unit ? ` ${rescale.unit}` : ""}`;
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
