/** What the page itself can do: panels, whom it serves, language, comfort. Buttons are its commands. */
import type { App } from "../app.ts";
import type { Command } from "../commands.ts";
import { chooseLanguage, currentLanguage, languages, onLanguage, t } from "../words.ts";
import { aboutPanel } from "./about_panel.ts";
import { hasClass, isSmall, onComfort, toggleAudience, toggleClass } from "./audience.ts";
import { checkPanel } from "./check_panel.ts";
import { button, el } from "./dom.ts";
import { FolderPanels } from "./folder_panel.ts";
import type { Guide } from "./guide.ts";
import { countText, kindText } from "./kinds.ts";
import { place } from "./menu.ts";
import type { Panel, PanelContent } from "./panel.ts";
import { say } from "./say.ts";
import { openReport, reportsOf, shownHeader } from "./study_panel.ts";
import { tagBrowser } from "./tag_browser.ts";

/** Languages in their own words: whoever looks for one reads it. */
const NAMES: Record<string, string> = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  tr: "Türkçe",
  ar: "العربية",
  pl: "Polski",
  ru: "Русский",
  zh: "简体中文",
};

export function pageCommands(app: App, panel: Panel, guide: Guide): Command[] {
  const folders = new FolderPanels(app, panel);
  const about = aboutPanel(app);
  const check = checkPanel(app);
  const tags: PanelContent = {
    id: "tags",
    title: () => t("tags.title"),
    fill: (body) => body.append(tagBrowser(() => shownHeader(app))),
  };
  const page = (
    id: string,
    key: string,
    run: () => void,
    more: Partial<Command> = {},
  ): Command => ({
    id,
    group: "page",
    keys: [`Shift+${key}`],
    run,
    ...more,
  });
  const opens = (id: string, key: string, content: PanelContent) =>
    page(id, key, () => panel.toggle(content), { isOn: () => panel.id === content.id });
  const switches = (id: string, key: string) =>
    page(id, key, () => toggleClass(id), { isOn: () => hasClass(id) });
  return [
    page("report", "b", () => toggleReport(app, panel), {
      isOn: () => isReport(app, panel),
      isEnabled: () => reportsOf(app, app.store.get().study).length > 0 || isReport(app, panel),
    }),
    page("guide", "g", () => (guide.isOpen ? guide.end() : guide.start(true)), {
      isOn: () => guide.isOpen,
    }),
    { ...switches("show-list", ""), keys: [] }, // small screens alone fold the list away
    switches("large-text", "s"),
    switches("high-contrast", "k"),
    opens("about", "a", about),
    opens("tags", "i", tags),
    opens("files", "o", folders.get("original")),
    opens("compare", "c", folders.get("other")),
    opens("check", "v", check),
    page("audience", "e", () => toggleAudience(app), {
      isOn: () => app.store.get().audience === "physician",
    }),
    page("where", "q", () => say(where(app))),
  ];
}

function isReport(app: App, panel: Panel): boolean {
  const ids = reportsOf(app, app.store.get().study).map((each) => `series/${each.n}`);
  return panel.id === "report" || ids.includes(panel.id);
}

function toggleReport(app: App, panel: Panel): void {
  if (isReport(app, panel)) panel.close();
  else void openReport(app, panel, true);
}

/** For whoever does not see it: which series, which image of how many. */
function where(app: App): string {
  const { source, state } = app.stage.active;
  if (!source) return t("where.nothing");
  const n = Number(/^series\/(\d+)$/.exec(source.key)?.[1] ?? 0);
  const entry = app.disc.place(n)?.entry ?? app.shelves.find(n)?.entry;
  const name = entry ? [entry.description, kindText(entry)].filter(Boolean).join(", ") : "";
  const number = t("corner.number", { index: state.index + 1, count: source.count });
  return [name, entry && source.count === 1 ? countText(entry) : number].filter(Boolean).join(", ");
}

const FIRST = ["report", "show-list", "guide"];
const FOR_ALL = ["report", "guide", "large-text", "high-contrast", "about"];
const FOR_PHYSICIANS = ["report", "tags", "files", "about"];
const REST = {
  patient: ["files", "compare", "check"],
  physician: ["compare", "check", "guide", "large-text", "high-contrast"],
};

export function attachPageBar(app: App, guide: Guide): void {
  const bar = el("div", { id: "page-bar", role: "toolbar" });
  app.slots.top.append(bar);
  const draw = () => {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["command"];
    const { audience } = app.store.get();
    const isPatient = audience === "patient";
    const all = isPatient ? FOR_ALL : FOR_PHYSICIANS;
    const change = commandButton(app, "audience");
    change.textContent = t(isPatient ? "bar.to-physician" : "bar.to-patient");
    change.removeAttribute("aria-pressed");
    const buttons = (ids: string[]) => ids.map((id) => commandButton(app, id));
    bar.setAttribute("aria-label", t("bar.label"));
    if (isSmall.matches) {
      const rest = [...all, ...REST[audience]].filter((id) => !FIRST.includes(id));
      bar.replaceChildren(...buttons(FIRST), moreMenu(...buttons(rest), languageChoice(), change));
    } else {
      bar.replaceChildren(
        ...buttons(all),
        moreMenu(...buttons(REST[audience])),
        languageChoice(),
        change,
      );
    }
    if (focused) bar.querySelector<HTMLElement>(`[data-command="${CSS.escape(focused)}"]`)?.focus();
  };
  onLanguage(draw);
  onComfort(draw);
  guide.changed = draw;
  isSmall.addEventListener("change", draw);
  app.store.on((now, before) => {
    // What is asked for is not left under the list.
    if (now.panel && now.panel !== before.panel) toggleClass("show-list", false);
    if (now.audience === "physician" && guide.isOpen) guide.end();
    if (
      now.audience !== before.audience ||
      now.panel !== before.panel ||
      now.study !== before.study
    )
      draw();
  });
  draw();
}

/** What the other view has on its bar is here one press further. */
function moreMenu(...items: HTMLElement[]): HTMLElement {
  const menu = el("div", { class: "menu" }, ...items);
  const made = el(
    "details",
    { class: "more" },
    el("summary", { class: "as-button" }, t("bar.more")),
    menu,
  );
  made.addEventListener("toggle", () => {
    const { left, top, bottom } = made.getBoundingClientRect();
    if (made.open) place(menu, { left, top: bottom + 2, above: top - 2 });
  });
  menu.addEventListener("click", (event) => {
    if ((event.target as HTMLElement).closest("button")) made.open = false;
  });
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !made.open) return;
    event.preventDefault();
    made.open = false;
    made.querySelector("summary")?.focus();
  });
  made.addEventListener("focusout", (event) => {
    if (!made.contains(event.relatedTarget as Node | null)) made.open = false;
  });
  return made;
}

function commandButton(app: App, id: string): HTMLButtonElement {
  const command = app.commands.get(id)!;
  const made = button(t(`command.${id}`), () => app.commands.run(id, app), { "data-command": id });
  const [key] = command.keys;
  if (key) {
    made.title = t("bar.key", { key });
    made.setAttribute("aria-keyshortcuts", key);
  }
  if (command.isOn) made.setAttribute("aria-pressed", String(command.isOn(app)));
  made.disabled = command.isEnabled?.(app) === false;
  return made;
}

function languageChoice(): HTMLElement {
  const options = languages().map((code) => {
    const made = el("option", { value: code, lang: code }, NAMES[code] ?? code);
    made.selected = code === currentLanguage();
    return made;
  });
  const select = el(
    "select",
    { "aria-label": t("bar.language"), "data-command": "language" },
    ...options,
  );
  select.addEventListener("change", () => chooseLanguage([select.value]));
  return select;
}
