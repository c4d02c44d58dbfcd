/**
 * A long list of which only what is near the eye is on the page. Rows have the height that their
 * kind has; arrows move the focus, so that the whole list is one stop of the Tab key.
 */
import { el } from "./dom.ts";

export interface Row {
  key: string;
  height: number;
  /** Whether it takes the focus. */
  isEntry: boolean;
  draw(): HTMLElement;
}

const AROUND = 600;
/** So few that all of them may be drawn: then the browser's own search finds them too. */
const FEW = 150;

export class VirtualList {
  readonly element: HTMLElement;
  private readonly scroller: HTMLElement;
  private rows: Row[] = [];
  private tops: number[] = [0];
  private readonly drawn = new Map<string, HTMLElement>();
  /** Key of the row that Tab goes to. */
  private stop = "";
  private isDue = false;

  constructor(scroller: HTMLElement) {
    this.scroller = scroller;
    this.element = el("div", { class: "rows" });
    scroller.addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.later()).observe(scroller);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focusin", (event) => {
      const row = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
      if (row) this.setStop(row.dataset["row"]!);
    });
  }

  set(rows: Row[]): void {
    const focused = this.focusedKey();
    this.rows = rows;
    this.tops = [0];
    let top = 0;
    for (const row of rows) {
      top += row.height;
      this.tops.push(top);
    }
    this.element.style.height = `${top}px`;
    for (const element of this.drawn.values()) element.remove();
    this.drawn.clear();
    if (!rows.some((each) => each.isEntry && each.key === this.stop)) {
      this.stop = rows.find((each) => each.isEntry)?.key ?? "";
    }
    this.draw();
    if (focused) this.focus(focused);
  }

  /** One row anew, if it is drawn. */
  refresh(key: string): void {
    const old = this.drawn.get(key);
    const at = this.rows.findIndex((each) => each.key === key);
    if (!old || at < 0) return;
    const hadFocus = old.contains(document.activeElement);
    const made = this.place(at);
    old.replaceWith(made);
    if (hadFocus) entryOf(made)?.focus();
  }

  /** What is drawn of a row. */
  get(key: string): HTMLElement | null {
    return this.drawn.get(key) ?? null;
  }

  show(key: string): void {
    const at = this.rows.findIndex((each) => each.key === key);
    if (at < 0) return;
    const offset = this.element.offsetTop;
    const top = this.tops[at]! + offset;
    const bottom = this.tops[at + 1]! + offset;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top - 8;
    else if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight + 8;
    this.draw();
  }

  private focus(key: string): void {
    this.show(key);
    const row = this.drawn.get(key);
    if (row) entryOf(row)?.focus({ preventScroll: true });
  }

  private focusedKey(): string {
    const inside = document.activeElement;
    return inside && this.element.contains(inside)
      ? (inside.closest<HTMLElement>("[data-row]")?.dataset["row"] ?? "")
      : "";
  }

  private key(event: KeyboardEvent): void {
    const from = this.rows.findIndex((each) => each.key === this.focusedKey());
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[event.key];
    const entries = this.rows.map((row, i) => ({ row, i })).filter(({ row }) => row.isEntry);
    const at = entries.findIndex(({ i }) => i === from);
    if (at < 0) return;
    let to = step === undefined ? -1 : Math.max(0, Math.min(entries.length - 1, at + step));
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = entries.length - 1;
    if (to < 0) return;
    event.preventDefault();
    this.focus(entries[to]!.row.key);
  }

  private setStop(key: string): void {
    if (this.stop === key) return;
    for (const each of [this.stop, key]) {
      const row = this.drawn.get(each);
      if (row) entryOf(row)?.setAttribute("tabindex", each === key ? "0" : "-1");
    }
    this.stop = key;
  }

  private later(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.draw();
    });
  }

  private draw(): void {
    const around = this.rows.length <= FEW ? Infinity : AROUND;
    const start = this.scroller.scrollTop - this.element.offsetTop - around;
    const end = start + this.scroller.clientHeight + 2 * around;
    const first = Math.max(0, firstAbove(this.tops, start) - 1);
    const last =
      around === Infinity
        ? this.rows.length
        : Math.min(this.rows.length, firstAbove(this.tops, end));
    const wanted = new Map<string, number>();
    for (let i = first; i < last; i++) wanted.set(this.rows[i]!.key, i);
    // The row with the focus stays, and the one that Tab goes to.
    const focused = this.focusedKey();
    for (const key of [focused, this.stop]) {
      const at = key ? this.rows.findIndex((each) => each.key === key) : -1;
      if (at >= 0) wanted.set(key, at);
    }
    for (const [key, element] of this.drawn) {
      if (wanted.has(key)) continue;
      element.remove();
      this.drawn.delete(key);
    }
    for (const [key, at] of [...wanted].sort((a, b) => a[1] - b[1])) {
      if (this.drawn.has(key)) continue;
      const made = this.place(at);
      const next = [...this.element.children].find(
        (each) => Number((each as HTMLElement).dataset["at"]) > at,
      );
      this.element.insertBefore(made, next ?? null);
    }
  }

  private place(at: number): HTMLElement {
    const row = this.rows[at]!;
    const made = row.draw();
    made.dataset["row"] = row.key;
    made.dataset["at"] = String(at);
    made.style.position = "absolute";
    made.style.insetInline = "0";
    made.style.top = `${this.tops[at]}px`;
    made.style.height = `${row.height}px`;
    entryOf(made)?.setAttribute("tabindex", row.key === this.stop ? "0" : "-1");
    this.drawn.set(row.key, made);
    return made;
  }
}

function entryOf(row: HTMLElement): HTMLElement | null {
  return row.matches("button") ? row : row.querySelector("button");
}

/** Index of the first of rising numbers that is above a limit. */
export function firstAbove(rising: readonly number[], limit: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
