/** Series dragged from the list onto a picture. */
import type { App } from "../app.ts";
import { faultText } from "./faults.ts";
import { notify } from "./notice.ts";

const TYPE = "application/x-sendhome-series";

export function attachDrop(app: App, show: (n: number, at: number) => Promise<void>): void {
  app.slots.list.addEventListener("dragstart", (event) => {
    const from = (event.target as HTMLElement).closest<HTMLElement>("[data-series]");
    const n = from?.dataset["series"];
    if (!n || !event.dataTransfer) return;
    event.dataTransfer.setData(TYPE, n);
    event.dataTransfer.effectAllowed = "copy";
  });
  app.stage.each((viewport) => {
    const { element } = viewport;
    const mark = (isOver: boolean) => element.classList.toggle("drop", isOver);
    element.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes(TYPE)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      mark(true);
    });
    element.addEventListener("dragleave", () => mark(false));
    element.addEventListener("drop", (event) => {
      mark(false);
      const n = Number(event.dataTransfer?.getData(TYPE));
      if (!Number.isInteger(n) || n < 1) return;
      event.preventDefault();
      const at = app.stage.viewports.indexOf(viewport);
      show(n, at).catch((error: unknown) => notify(app, faultText(error)));
    });
  });
}
