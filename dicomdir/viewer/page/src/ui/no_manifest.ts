/** The list of what is on this medium cannot be read: what can be done without it. */
import type { App } from "../app.ts";
import { currentLanguage, knownOf, onLanguage, t } from "../words.ts";
import { button, el } from "./dom.ts";
import { faultText } from "./faults.ts";
import { indexLink } from "./pages.ts";

/** In every language that the browser asks for: which of them the medium was made for is not known. */
export function tellNoManifest(app: App, fault: unknown, into: HTMLElement): void {
  const draw = () => {
    const codes = knownOf([currentLanguage(), ...navigator.languages]);
    into.replaceChildren(
      ...codes.map((lang) =>
        el(
          "div",
          { lang, dir: lang === "ar" ? "rtl" : "ltr" },
          el("p", {}, faultText(fault, lang)),
          el(
            "p",
            {},
            button(t("command.files", {}, lang), () => app.commands.run("files", app)),
            " ",
            indexLink("INDEX.HTM", t("about.index", {}, lang)),
          ),
        ),
      ),
    );
  };
  into.classList.add("choices");
  onLanguage(draw);
  draw();
}
