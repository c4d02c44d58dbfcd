/** Names of keys, and the list of them all. */
import type { App } from "../app.ts";
import type { Command } from "../commands.ts";
import { t } from "../words.ts";
import { openDialog } from "./dialog.ts";
import { button, el } from "./dom.ts";

const SHOWN: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
  " ": "space",
  PageDown: "page-down",
  PageUp: "page-up",
  Home: "home",
  End: "end",
  Enter: "enter",
  Escape: "escape",
  Delete: "delete",
  Backspace: "backspace",
  ContextMenu: "menu",
  Shift: "shift",
  Ctrl: "ctrl",
  Alt: "alt",
};

/** "Shift+r" as it stands on a keyboard: "Shift + R". */
export function keyName(key: string): string {
  const parts = key.length > 1 ? key.split(/\+(?=.)/) : [key];
  return parts
    .map((part) => {
      const found = SHOWN[part];
      if (found && found.length > 1) return t(`key.${found}`);
      return found ?? (part.length === 1 ? part.toUpperCase() : part);
    })
    .join(" + ");
}

export function hintOf(command: Command | undefined): string {
  const [key] = command?.keys ?? [];
  return key === undefined ? "" : keyName(key);
}

function keysOf({ id, keys }: Command): string[] {
  return id === "window-1" ? ["1 – 9"] : keys.map(keyName);
}

const GROUPS = ["image", "tool", "measure", "layout", "compare", "cine", "volume", "page"];

export function showKeys(app: App): void {
  // Keys 1 to 9 do one thing.
  const all = app.commands
    .list()
    .filter((each) => each.keys.length && !/^window-[2-9]$/.test(each.id));
  const named = new Set(all.map((each) => each.group));
  const order = [...GROUPS, ...[...named].filter((each) => !GROUPS.includes(each))];
  const groups = order.flatMap((group) => {
    const own = all.filter((each) => each.group === group);
    if (!own.length) return [];
    const rows = own.map((each) =>
      el(
        "tr",
        {},
        el("td", {}, ...keysOf(each).flatMap((key, i) => [i ? " " : "", el("kbd", {}, key)])),
        el("td", {}, t(`command.${each.id}`)),
      ),
    );
    return [el("section", {}, el("h3", {}, t(`group.${group}`)), el("table", {}, ...rows))];
  });
  const close = button(t("dialog.close"), () => dialog.close());
  const dialog = openDialog(app.slots.over, t("keys.title"), [
    el("p", { class: "buttons" }, close),
    el("p", {}, t("keys.mouse")),
    el("p", {}, t("keys.touch")),
    el("div", { class: "keys" }, ...groups),
  ]);
  close.focus();
}
