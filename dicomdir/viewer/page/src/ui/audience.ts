/** Patient view and physician view; larger text; more contrast. Kept while the page is open only. */
import type { App } from "../app.ts";

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

export function toggleClass(name: string): void {
  document.documentElement.classList.toggle(name);
  for (const listener of [...listeners]) listener();
}

export function hasClass(name: string): boolean {
  return document.documentElement.classList.contains(name);
}

const listeners = new Set<() => void>();

export function onComfort(listener: () => void): void {
  listeners.add(listener);
}
