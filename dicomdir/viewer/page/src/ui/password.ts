/** The password of a protected medium, asked for before anything else is known of it. */
import type { Files } from "../data/files.ts";
import { t } from "../words.ts";
import { checkContent } from "./check_panel.ts";
import { el } from "./dom.ts";

/** The medium's check, which needs no password: what it compares lies in clear. */
export function lockedCheck(files: Files): HTMLElement {
  const made = el("details", { id: "lock-check" }, el("summary", {}, t("check.title")));
  made.addEventListener(
    "toggle",
    () => made.append(...checkContent(files, files.hashes, () => made.isConnected)),
    { once: true },
  );
  return made;
}

/**
 * Resolves with what was typed; the field stays on the page, busy, until it is asked again.
 *
 * @param more What can be done without the password; the same each time it is asked.
 */
export function askPassword(wasWrong: boolean, more: HTMLElement): Promise<string> {
  const app = document.getElementById("app")!;
  return new Promise((resolve) => {
    const field = el("input", {
      id: "password",
      type: "password",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      maxlength: "128",
    });
    const open = el("button", { type: "submit" }, t("password.open"));
    const show = el("input", { id: "password-show", type: "checkbox" });
    show.addEventListener("change", () => {
      field.type = show.checked ? "text" : "password";
    });
    const wrong = el("p", { class: "wrong", role: "alert" }, wasWrong ? t("password.wrong") : "");
    const form = el(
      "form",
      { id: "lock" },
      el("h1", {}, t("password.title")),
      el("p", {}, t("password.text")),
      el("label", { for: "password" }, t("password.label")),
      field,
      el("p", {}, show, " ", el("label", { for: "password-show" }, t("password.show"))),
      wrong,
      open,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!field.value || open.disabled) return;
      open.disabled = true;
      open.textContent = t("password.busy");
      // Copied from paper or a message, blanks come along; a password neither starts nor ends so.
      resolve(field.value.trim());
    });
    app.className = "";
    app.replaceChildren(form, more);
    field.focus();
  });
}
