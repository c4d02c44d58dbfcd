/** What a screen reader says without being asked to read: one live region for the page. */
import { el } from "./dom.ts";

let region: HTMLElement | null = null;
let isOdd = false;

export function say(text: string): void {
  if (!region) {
    region = el("div", { class: "for-readers", role: "status", "aria-live": "polite" });
    document.body.append(region);
  }
  // The same text again would not be read: an invisible difference makes it another one.
  isOdd = !isOdd;
  region.textContent = isOdd ? text : `${text}\u00a0`;
}
