/** Windows to choose from for a picture: what readers know by heart, then what the object names. */

import { storedValue } from "../data/source.ts";
import { presetsFor } from "../dicom/presets.ts";
import { rangeWindow, rescaled } from "../dicom/voi.ts";
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
  const known = presetsFor(info.modality, info.rescale.unit).map(({ key, window }) => ({
    name: t(key),
    voi: { kind: "window", window } as Voi,
  }));
  const tables = info.voiLuts.map((lut) => ({
    name: lut.explanation || t("window.table"),
    voi: { kind: "lut", lut } as Voi,
  }));
  const windows = info.windows.map((window) => ({
    name: window.name || t("window.own", { center: window.center, width: window.width }),
    voi: { kind: "window", window } as Voi,
  }));
  const own = [...tables, ...windows];
  // The first of its own is how it is shown at first.
  const others = own.slice(1);
  return [
    ...known,
    { name: t("window.original"), voi: null },
    ...others,
    { name: t("window.all"), voi: allOf(viewport) },
  ];
}

/** From the lowest value of this picture to its highest. */
function allOf({ picture }: Viewport): Voi | null {
  if (picture?.kind !== "grey") return null;
  const { cells, info } = picture;
  const [low, high] = info.padding ?? [1, 0];
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < cells.length; i++) {
    const stored = storedValue(picture, i);
    if (stored >= low && stored <= high) continue;
    least = Math.min(least, stored);
    most = Math.max(most, stored);
  }
  if (least > most) return null;
  const ends = [rescaled(info.rescale, least), rescaled(info.rescale, most)];
  return { kind: "window", window: rangeWindow(Math.min(...ends), Math.max(...ends)) };
}
