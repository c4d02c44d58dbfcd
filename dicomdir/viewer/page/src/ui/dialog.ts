/** Dialogs: a heading, what is in them, and a way out. */
import { t } from "../words.ts";
import { button, el } from "./dom.ts";

export interface Dialog {
  element: HTMLDialogElement;
  close(): void;
}

export function openDialog(
  over: HTMLElement,
  title: string,
  content: readonly Node[],
  closed: () => void = () => undefined,
): Dialog {
  const back = document.activeElement;
  const element = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "dialog-title" },
    el("h2", { id: "dialog-title" }, title),
    ...content,
  );
  const close = () => {
    if (!element.isConnected) return;
    element.close();
    element.remove();
    if (back instanceof HTMLElement) back.focus({ preventScroll: true });
    closed();
  };
  element.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  over.append(element);
  element.showModal();
  return { element, close };
}

/** A line of text; null: nothing wanted. */
export function askText(over: HTMLElement, title: string, now: string): Promise<string | null> {
  return new Promise((resolve) => {
    const field = el("input", { type: "text", maxlength: "200", "aria-label": title });
    field.value = now;
    let answer: string | null = null;
    const form = el("form", {}, field);
    const done = el("button", { type: "submit" }, t("dialog.ok"));
    form.append(
      el(
        "p",
        { class: "buttons" },
        button(t("dialog.cancel"), () => dialog.close()),
        done,
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer = field.value;
      dialog.close();
    });
    const dialog = openDialog(over, title, [form], () => resolve(answer));
    field.focus();
  });
}
