/** Windows that readers know by heart, by modality. */
import { rangeWindow, type Window } from "./voi.ts";

export interface Preset {
  /** The word's key in LANG.JS; missing: `name` is the same in every language. */
  key?: string;
  name?: string;
  window: Window;
}

const ct = (key: string, center: number, width: number): Preset => ({
  key: `preset.${key}`,
  window: { center, width, fn: "LINEAR", name: "" },
});

const CT: readonly Preset[] = [
  ct("abdomen", 40, 400),
  ct("lung", -600, 1500),
  ct("bone", 500, 2000),
  ct("brain", 40, 80),
  ct("stroke", 35, 35),
  ct("mediastinum", 50, 350),
  ct("liver", 70, 150),
  ct("angio", 300, 700),
];

/** Of standardised uptake values: from nothing to so much. */
const SUV: readonly Preset[] = [5, 7, 10, 15, 20].map((most) => ({
  name: `SUV 0–${most}`,
  window: rangeWindow(0, most),
}));

/** Only values in known units have presets: CT in Hounsfield units, PET in SUVs. */
export function presetsFor(modality: string, unit: string): readonly Preset[] {
  if (modality === "CT" && unit === "HU") return CT;
  return modality === "PT" && unit.startsWith("SUV") ? SUV : [];
}
