/** The place beside the pictures: one panel at a time, with a heading and a way to close it. */
import type { App } from "../app.ts";
import { onLanguage, t } from "../words.ts";
import { button, el } from "./dom.ts";

export interface PanelContent {
  /** Which command or series it belongs to: "report", "tags", "series/3" … */
  id: string;
  /** Made anew when the language changes. */
  title(): string;
  /** Text goes in as text; may go on filling `body` later, until `isOpen` says no. */
  fill(body: HTMLElement, isOpen: () => boolean): void;
  /** Over the pictures too: an electrocardiogram needs the width. */
  isWide?: boolean;
  /** It went away, for another one or for none. */
  closed?(): void;
}

export class Panel {
  private readonly app: App;
  private shown: PanelContent | null = null;
  private turn = 0;
  private cameFrom: Element | null = null;

  constructor(app: App) {
    this.app = app;
    app.slots.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      this.close();
    });
    onLanguage(() => this.shown && this.draw(this.shown));
  }

  get id(): string {
    return this.shown?.id ?? "";
  }

  /** @param takeFocus Not where it opens by itself: the picture keeps the keys. */
  open(content: PanelContent, takeFocus = true): void {
    if (takeFocus && !this.app.slots.panel.contains(document.activeElement)) {
      this.cameFrom = document.activeElement;
    }
    if (this.shown !== content) this.shown?.closed?.();
    this.shown = content;
    this.draw(content);
    this.app.store.set({ panel: content.id });
    if (takeFocus) this.app.slots.panel.querySelector<HTMLElement>("h2")?.focus();
  }

  toggle(content: PanelContent): void {
    if (this.id === content.id) this.close();
    else this.open(content);
  }

  close(): void {
    const { panel } = this.app.slots;
    if (!this.shown) return;
    const hadFocus = panel.contains(document.activeElement);
    this.shown.closed?.();
    this.shown = null;
    this.turn++;
    panel.hidden = true;
    panel.replaceChildren();
    this.app.store.set({ panel: "" });
    if (!hadFocus) return;
    const back = this.cameFrom instanceof HTMLElement && this.cameFrom.isConnected;
    (back ? (this.cameFrom as HTMLElement) : this.app.stage.active.element).focus();
  }

  private draw(content: PanelContent): void {
    const { panel } = this.app.slots;
    const turn = ++this.turn;
    const heading = el("h2", { id: "panel-title", tabindex: "-1" }, content.title());
    const close = button("×", () => this.close(), {
      class: "close",
      "aria-label": t("panel.close"),
    });
    const body = el("div", { class: "panel-body" });
    panel.hidden = false;
    panel.classList.toggle("wide", content.isWide === true);
    panel.setAttribute("aria-labelledby", "panel-title");
    panel.replaceChildren(el("div", { class: "panel-head" }, heading, close), body);
    panel.scrollTop = 0;
    content.fill(body, () => this.turn === turn);
  }
}
