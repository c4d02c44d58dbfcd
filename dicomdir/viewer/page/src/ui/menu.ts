/** Menus: of buttons and of pictures; arrow keys, Escape, a letter; gone when somebody looks away. */

import { el } from "./dom.ts";
import { icon } from "./icons.ts";

export interface MenuItem {
  label: string;
  /** The key that does the same. */
  hint?: string;
  /** A switch, or one of several to choose from. */
  isOn?: boolean;
  isDisabled?: boolean;
  icon?: string;
  run(): void;
}

/** Items in groups, a line between them. */
export type MenuGroups = readonly (readonly MenuItem[])[];

export interface Anchor {
  left: number;
  top: number;
  /** Where the menu goes when it does not fit below. */
  above: number;
}

let close: (() => void) | null = null;

export function closeMenu(): void {
  close?.();
}

/** @param back What is focused again when the menu goes. */
export function openMenu(
  over: HTMLElement,
  groups: MenuGroups,
  at: Anchor,
  label: string,
  back: HTMLElement | null,
): void {
  closeMenu();
  const menu = el("div", { class: "menu", role: "menu", "aria-label": label });
  for (const group of groups.filter((each) => each.length)) {
    if (menu.childElementCount) menu.append(el("hr"));
    menu.append(...group.map((each) => itemButton(each)));
  }
  const buttons = () =>
    [...menu.querySelectorAll<HTMLButtonElement>("button")].filter((each) => !each.disabled);
  const away = (event: Event) => {
    if (!menu.contains(event.target as Node)) end(false);
  };
  const end = (isBack = true) => {
    close = null;
    document.removeEventListener("pointerdown", away, true);
    window.removeEventListener("blur", onBlur);
    menu.remove();
    if (isBack) back?.focus({ preventScroll: true });
  };
  const onBlur = () => end(false);
  close = end;
  menu.addEventListener("keydown", (event) => {
    const all = buttons();
    const now = all.indexOf(document.activeElement as HTMLButtonElement);
    const go = steer(event.key, now, all.length);
    if (go !== null) all[go]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") end();
    else if (event.key.length === 1 && event.key !== " ") {
      const wanted = event.key.toLowerCase();
      const found = [...all.slice(now + 1), ...all].find((each) =>
        (each.textContent ?? "").toLowerCase().startsWith(wanted),
      );
      found?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("click", () => end());
  over.append(menu);
  place(menu, at);
  document.addEventListener("pointerdown", away, true);
  window.addEventListener("blur", onBlur);
  (buttons().find((each) => each.getAttribute("aria-checked") === "true") ?? buttons()[0])?.focus();
}

function itemButton(item: MenuItem): HTMLButtonElement {
  const isSwitch = item.isOn !== undefined;
  const made = el(
    "button",
    { type: "button", role: isSwitch ? "menuitemcheckbox" : "menuitem", tabindex: "-1" },
    el("span", { class: "tick", "aria-hidden": "true" }, item.isOn ? "✓" : ""),
    item.icon ? (icon(item.icon) as unknown as Node) : null,
    el("span", { class: "name" }, item.label),
    item.hint ? el("kbd", {}, item.hint) : null,
  );
  if (isSwitch) made.setAttribute("aria-checked", String(item.isOn));
  made.disabled = item.isDisabled === true;
  // After the menu has gone: what is opened by it keeps the focus.
  made.addEventListener("click", () => queueMicrotask(() => item.run()));
  return made;
}

function steer(key: string, now: number, count: number): number | null {
  if (key === "ArrowDown") return (now + 1) % count;
  if (key === "ArrowUp") return (now - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return null;
}

export function place(menu: HTMLElement, at: Anchor): void {
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.max(4, Math.min(at.left, innerWidth - width - 4));
  const isBelow = at.top + height <= innerHeight - 4;
  const top = isBelow ? at.top : Math.max(4, Math.min(at.above - height, innerHeight - height - 4));
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}
