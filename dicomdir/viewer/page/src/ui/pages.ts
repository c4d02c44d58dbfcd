/** Where other files of the medium are, seen from this page. */
import { el } from "./dom.ts";

/**
 * The address of a path on the medium, in the case that the medium shows; null for what is no such
 * path: it comes from a data file.
 */
export function mediumAddress(path: string): string | null {
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9]{1,8})?(\/[A-Za-z0-9_-]+(\.[A-Za-z0-9]{1,8})?)*$/.test(path)) {
    return null;
  }
  const base = window.SENDHOME_BASE ?? { folder: "", lower: false };
  const root = base.folder.replace(/[^/]*\/$/, "");
  return root + (base.lower ? path.toLowerCase() : path);
}

/** To the medium's pages for any browser; null for what is no path. */
export function indexLink(path: string, text: string): HTMLElement | null {
  const href = mediumAddress(path);
  return href
    ? el("a", { href, target: "_blank", rel: "noopener", class: "as-button" }, text)
    : null;
}
