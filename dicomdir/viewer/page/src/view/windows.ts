/** Windows to choose from for a picture: what readers know by heart, then what the object names. */

import { type GreyPicture, storedValue } from "../data/source.ts";
import { presetsFor } from "../dicom/presets.ts";
import { rangeWindow, rescaled } from "../dicom/voi.ts";
import { shownNumber } from "../numbers.ts";
import type { Voi } from "../render/shades.ts";
import { t } from "../words.ts";
import type { Viewport } from "./viewport.ts";

export interface NamedVoi {
  name: string;
  /** Null: as the object says. */
  voi: Voi | null;
}

export function windowsFor(viewport: Viewport): NamedVoi[] {
  const { shown, source } = viewport;
  if (!shown || !source) return [];
  const { info } = shown;
  if (shown.kind === "colour" || info.palette) {
    return [{ name: t("window.original"), voi: null }];
  }
  const known = presetsFor(info.modality, info.rescale.unit).map(({ key, name, window }) => ({
    name: key ? t(key) : (name ?? ""),
    voi: { kind: "window", window } as Voi,
  }));
  const tables = info.voiLuts.map((lut) => ({
    name: lut.explanation || t("window.table"),
    voi: { kind: "lut", lut } as Voi,
  }));
  const windows = info.windows.map((window) => ({
    name:
      window.name ||
      t("window.own", {
        center: shownNumber(window.center, 3),
        width: shownNumber(window.width, 3),
      }),
    voi: { kind: "window", window } as Voi,
  }));
  // The first of its own is how it is shown at first. A table is of values that are not shown.
  const others = [...tables, ...windows]
    .slice(1)
    .filter(({ voi }) => voi.kind === "window" || !info.recorded);
  const own = [{ name: t("window.original"), voi: null }, ...others];
  // Hounsfield units are the same everywhere; what another unit is good for, the device knows best.
  return [
    ...(info.modality === "CT" ? [...known, ...own] : [...own, ...known]),
    ...spreadsOf(viewport),
  ];
}

/** Of a unit that was computed, all digits but three say nothing. */
/** Parts of the values that are left out at either end, by the name of the window. */
const SPREADS: readonly [string, number][] = [
  ["window.all", 0],
  ["1–99 %", 0.01],
  ["5–95 %", 0.05],
];

/** The same objects for the same picture, so that the menu knows the one that was chosen. */
const spreads = new WeakMap<GreyPicture, (Voi | null)[]>();

/** Windows on this picture's own values, whatever they are. */
function spreadsOf({ picture }: Viewport): NamedVoi[] {
  if (picture?.kind !== "grey") return [{ name: t("window.all"), voi: null }];
  let made = spreads.get(picture);
  if (!made) {
    const values = sortedValues(picture);
    made = SPREADS.map(([, cut]) => (values ? spreadVoi(values, cut) : null));
    spreads.set(picture, made);
  }
  return SPREADS.map(([name, cut], i) => ({ name: cut ? name : t(name), voi: made![i]! }));
}

function spreadVoi(values: Ranked, cut: number): Voi {
  const ends = [values(cut), values(1 - cut)];
  return { kind: "window", window: rangeWindow(Math.min(...ends), Math.max(...ends)) };
}

/** The value below which there is such a part of all, between two values where it falls so. */
type Ranked = (part: number) => number;

/** Counted, where there are few values that a pixel can have; null: there is no pixel. */
function sortedValues(picture: GreyPicture): Ranked | null {
  const { cells, info } = picture;
  const [low, high] = info.padding ?? [1, 0];
  const isWide = info.stored > 16;
  const lowest = info.isSigned ? -(2 ** (info.stored - 1)) : 0;
  const counts = new Uint32Array(isWide ? 0 : 2 ** info.stored);
  const all = isWide ? new Float64Array(cells.length) : null;
  let count = 0;
  for (let i = 0; i < cells.length; i++) {
    const stored = storedValue(picture, i);
    if (stored >= low && stored <= high) continue;
    if (all) all[count] = stored;
    else counts[stored - lowest]!++;
    count++;
  }
  if (!count) return null;
  const sorted = all?.subarray(0, count).sort();
  const nth = (n: number): number => {
    if (sorted) return sorted[n]!;
    let at = 0;
    for (let before = counts[0]!; before <= n; before += counts[at]!) at++;
    return lowest + at;
  };
  return (part) => {
    const place = part * (count - 1);
    const [below, above] = [Math.floor(place), Math.ceil(place)].map((n) =>
      rescaled(info.rescale, nth(n)),
    ) as [number, number];
    return below + (above - below) * (place - Math.floor(place));
  };
}
