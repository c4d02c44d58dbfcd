/** A text with a button that copies it. */
import { t } from "../words.ts";
import { button, el } from "./dom.ts";
import { say } from "./say.ts";

export function copyable(text: string, what: string): HTMLElement {
  const copy = button(t("copy.button"), () => void run(), {
    class: "copy",
    "aria-label": t("copy.what", { what }),
  });
  const run = async () => {
    await copyText(text);
    say(t("copy.done"));
    copy.textContent = t("copy.done");
    setTimeout(() => {
      copy.textContent = t("copy.button");
    }, 2000);
  };
  return el("span", { class: "copyable" }, el("code", { dir: "ltr" }, text), " ", copy);
}

async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not every browser gives pages from a file the clipboard; the old way asks for no permission.
    const field = el("textarea", { class: "for-readers" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}
