/** A sentence that comes over the pictures and goes by itself. */
import type { App } from "../app.ts";
import { el } from "./dom.ts";

const SHOWN_MS = 7000;

export function notify(app: App, text: string): void {
  app.slots.over.querySelector(".toast")?.remove();
  const made = el("p", { class: "toast", role: "status" });
  app.slots.over.append(made);
  made.textContent = text; // after it is there, so that screen readers say it
  made.addEventListener("click", () => made.remove());
  window.setTimeout(() => made.remove(), SHOWN_MS);
}
