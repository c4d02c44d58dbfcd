/** Windows that readers know by heart, by modality; `key` is the word's key in LANG.JS. */
import type { Window } from "./voi.ts";

export interface Preset {
  key: string;
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

/** Only values in known units have presets: CT in Hounsfield units. */
export function presetsFor(modality: string, unit: string): readonly Preset[] {
  return modality === "CT" && unit === "HU" ? CT : [];
}
