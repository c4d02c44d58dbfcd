/** Patient view and physician view; larger text; more contrast. Kept while the page is open only. */
import type { App } from "../app.ts";

/** Narrow or low: the picture comes first, the rest when it is asked for. The style sheet has the same. */
export const isSmall = matchMedia("(max-width: 600px), (max-height: 520px)");
/** Too narrow for a panel beside the picture. */
const isNarrow = matchMedia("(max-width: 820px)");

export function isBeside(): boolean {
  return !isSmall.matches && !isNarrow.matches;
}

/** As classes and data of the root: what is for whom is said by the style sheet. */
export function attachAudience(app: App): void {
  const root = document.documentElement;
  const draw = () => {
    root.dataset["audience"] = app.store.get().audience;
  };
  app.store.on(draw);
  draw();
}

export function toggleAudience(app: App): void {
  const isPatient = app.store.get().audience === "patient";
  app.store.set({ audience: isPatient ? "physician" : "patient" });
}

export function toggleClass(name: string, force?: boolean): void {
  if (hasClass(name) === force) return;
  document.documentElement.classList.toggle(name, force);
  for (const listener of [...listeners]) listener();
}

export function hasClass(name: string): boolean {
  return document.documentElement.classList.contains(name);
}

const listeners = new Set<() => void>();

export function onComfort(listener: () => void): void {
  listeners.add(listener);
}
