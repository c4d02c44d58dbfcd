/** The bar of tools and menus: one stop of the Tab key, arrow keys within (WAI-ARIA toolbar). */
import { el } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { hintOf } from "../ui/keys.ts";
import { openMenu } from "../ui/menu.ts";
import { onLanguage, t } from "../words.ts";
import type { Bench } from "./bench.ts";
import type { MenuId } from "./menus.ts";

const TOOLS = ["scroll", "window", "pan", "zoom", "magnify"];
const MEASURES = ["length", "angle", "ellipse", "rectangle", "value", "arrow", "cursor"];
const MENUS: readonly [MenuId, string, string][] = [
  ["windows", "contrast", "1-9"],
  ["picture", "turn", ""],
  ["layout", "layout", "layout"],
  ["compare", "compare", ""],
  ["volume", "volume", "volume"],
  ["more", "more", ""],
];

export class Toolbar {
  private readonly bench: Bench;
  private readonly bar = el("div", { id: "tools", role: "toolbar" });
  private readonly byTool = new Map<string, HTMLButtonElement>();
  private readonly byMenu = new Map<MenuId, HTMLButtonElement>();
  private readonly keyImages: HTMLButtonElement;
  private readonly subtract: HTMLButtonElement;
  private isDue = false;

  constructor(bench: Bench) {
    this.bench = bench;
    const { app } = bench;
    const group = (...children: HTMLElement[]) => el("div", { class: "tool-group" }, ...children);
    this.keyImages = this.commandButton("key-images", "key");
    this.subtract = this.commandButton("subtract", "subtract");
    this.bar.append(
      group(...TOOLS.map((id) => this.toolButton(id))),
      group(...MEASURES.map((id) => this.toolButton(id))),
      group(
        ...MENUS.map(([id, picture]) => this.menuButton(id, picture)),
        this.keyImages,
        this.subtract,
      ),
      group(this.commandButton("keys", "keys")),
    );
    this.bar.addEventListener("keydown", (event) => this.steer(event));
    this.bar.addEventListener("focusin", (event) => this.rove(event.target as HTMLElement));
    app.slots.top.append(this.bar);
    app.store.on(() => this.later());
    app.stage.on(() => this.later());
    app.stage.each((viewport) =>
      viewport.on((_, change) => {
        // A header comes with the first picture, which may be the first that has masks.
        const isNew = change === "picture" && this.subtract.hidden === bench.subtraction.can("own");
        if (change === "source" || isNew) this.later();
      }),
    );
    bench.settings.on(() => this.later());
    onLanguage(() => this.draw());
    this.draw();
    this.rove(this.buttons()[0]!);
  }

  later(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => this.draw());
  }

  open(id: MenuId): void {
    const { app } = this.bench;
    const button = this.byMenu.get(id) ?? this.byMenu.get("more")!;
    const back = this.bar.contains(document.activeElement) ? button : app.stage.active.element;
    const box = button.getBoundingClientRect();
    void this.bench.menu(id).then((groups) => {
      const at = { left: box.left, top: box.bottom + 2, above: box.top - 2 };
      openMenu(app.slots.over, groups, at, t(`menu.${id}`), back);
    });
  }

  private toolButton(id: string): HTMLButtonElement {
    const made = this.make(id);
    made.addEventListener("click", () => {
      this.bench.app.chooseTool(id);
      // Keys go to the picture again, except for those who came by keys.
      if (!made.matches(":focus-visible")) this.bench.app.stage.active.element.focus();
    });
    this.byTool.set(id, made);
    return made;
  }

  private menuButton(id: MenuId, picture: string): HTMLButtonElement {
    const made = this.make(picture);
    made.setAttribute("aria-haspopup", "menu");
    made.addEventListener("click", () => this.open(id));
    this.byMenu.set(id, made);
    return made;
  }

  private commandButton(id: string, picture: string): HTMLButtonElement {
    const made = this.make(picture);
    made.dataset["command"] = id;
    made.addEventListener("click", () => this.bench.app.commands.run(id, this.bench.app));
    return made;
  }

  private make(picture: string): HTMLButtonElement {
    return el(
      "button",
      { type: "button", class: "tool", tabindex: "-1" },
      icon(picture),
      el("span"),
    );
  }

  private draw(): void {
    this.isDue = false;
    const { app, marked, subtraction } = this.bench;
    this.bar.setAttribute("aria-label", t("tools.label"));
    const [chosen] = app.store.get().tools;
    for (const [id, button] of this.byTool) {
      name(
        button,
        t(`tool.${id}`),
        t(`command.tool-${id}`),
        hintOf(app.commands.get(`tool-${id}`)),
      );
      button.setAttribute("aria-pressed", String(id === chosen));
    }
    for (const [id, , key] of MENUS) {
      const hint = key === "1-9" ? key : key ? hintOf(app.commands.get(key)) : "";
      name(this.byMenu.get(id)!, t(`menu.${id}`), t(`menu.${id}`), hint);
    }
    for (const button of this.bar.querySelectorAll<HTMLButtonElement>("[data-command]")) {
      const id = button.dataset["command"]!;
      const key = hintOf(app.commands.get(id));
      name(button, t(`short.${id}`), t(`command.${id}`), key);
    }
    this.keyImages.hidden = !(marked.hasKeyImages() || marked.isShowing);
    this.keyImages.setAttribute("aria-pressed", String(marked.isShowing));
    this.subtract.hidden = !subtraction.can("own");
    this.subtract.setAttribute("aria-pressed", String(subtraction.now === "own"));
  }

  private buttons(): HTMLButtonElement[] {
    return [...this.bar.querySelectorAll("button")].filter((each) => !each.hidden);
  }

  private rove(to: HTMLElement): void {
    for (const each of this.bar.querySelectorAll("button")) each.tabIndex = each === to ? 0 : -1;
  }

  private steer(event: KeyboardEvent): void {
    const all = this.buttons();
    const now = all.indexOf(document.activeElement as HTMLButtonElement);
    const steps: Record<string, number> = {
      ArrowRight: (now + 1) % all.length,
      ArrowLeft: (now - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    };
    const to = steps[event.key];
    const isMenu = all[now]?.getAttribute("aria-haspopup") === "menu";
    if (to !== undefined) all[to]?.focus();
    else if (event.key === "ArrowDown" && isMenu) all[now]!.click();
    else if (event.key !== "Enter" && event.key !== " ") return;
    if (event.key !== "Enter" && event.key !== " ") event.preventDefault();
    event.stopPropagation();
  }
}

function name(button: HTMLButtonElement, short: string, long: string, key: string): void {
  button.lastElementChild!.textContent = short;
  button.title = key ? `${long} (${key})` : long;
  button.setAttribute("aria-label", long);
  if (key) button.setAttribute("aria-keyshortcuts", key);
}
