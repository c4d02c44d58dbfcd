/** The first minute: five short steps beside the picture, which never block it. */
import type { App } from "../app.ts";
import { onLanguage, t } from "../words.ts";
import { button, el } from "./dom.ts";

const STEPS = ["scroll", "series", "bright", "zoom", "help"] as const;

export class Guide {
  private readonly app: App;
  private readonly element: HTMLElement;
  private step = -1;
  /** Steps that were done rather than read. */
  private readonly done = new Set<string>();
  /** Told when it opens and when it ends. */
  changed = () => {};

  constructor(app: App) {
    this.app = app;
    this.element = el("section", { id: "guide", hidden: "" });
    app.slots.bottom.prepend(this.element);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.end();
    });
    onLanguage(() => this.draw());
    app.stage.each((viewport) =>
      viewport.on((_, change, before) => {
        const { state } = viewport;
        if (change === "source") this.did("series");
        if (change !== "state") return;
        if (state.index !== before.index) this.did("scroll");
        if (state.voi !== before.voi) this.did("bright");
        if (state.scale !== before.scale) this.did("zoom");
      }),
    );
  }

  get isOpen(): boolean {
    return this.step >= 0;
  }

  /** @param takeFocus Not where it opens by itself: a person may already be scrolling. */
  start(takeFocus: boolean): void {
    this.done.clear();
    this.go(0, takeFocus);
  }

  end(): void {
    const hadFocus = this.element.contains(document.activeElement);
    this.step = -1;
    this.draw();
    this.changed();
    if (hadFocus) this.app.stage.active.element.focus();
  }

  private go(step: number, takeFocus = true): void {
    const wasOpen = this.isOpen;
    this.step = step;
    if (step >= STEPS.length) {
      this.end();
      return;
    }
    this.draw();
    if (!wasOpen) this.changed();
    if (takeFocus) this.element.querySelector<HTMLElement>("button.main")?.focus();
  }

  private did(what: (typeof STEPS)[number]): void {
    if (this.step < 0 || STEPS[this.step] !== what || this.done.has(what)) return;
    this.done.add(what);
    this.draw();
  }

  private draw(): void {
    this.element.hidden = this.step < 0;
    if (this.step < 0) {
      this.element.replaceChildren();
      return;
    }
    const hadFocus = this.element.contains(document.activeElement);
    const id = STEPS[this.step]!;
    const isLast = this.step === STEPS.length - 1;
    const { help } = this.app.disc.manifest.site;
    const text = id === "help" && help ? t("guide.help-call", { help }) : t(`guide.${id}`);
    this.element.setAttribute("aria-label", t("guide.title"));
    const next = button(isLast ? t("guide.end") : t("guide.next"), () => this.go(this.step + 1), {
      class: "main",
    });
    this.element.replaceChildren(
      el("p", { class: "quiet" }, t("guide.step", { step: this.step + 1, count: STEPS.length })),
      el(
        "p",
        { role: "status", dir: "auto" },
        text,
        this.done.has(id) && el("b", { class: "good" }, ` ${t("guide.done")}`),
      ),
      el(
        "p",
        { class: "buttons" },
        next,
        this.step > 0 && button(t("guide.back"), () => this.go(this.step - 1)),
        !isLast && button(t("guide.skip"), () => this.end()),
      ),
    );
    if (hadFocus) next.focus();
  }
}
