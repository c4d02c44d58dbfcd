/** The viewports in their grid, and which of them keys and buttons go to. */
import { Viewport } from "./viewport.ts";

export interface Grid {
  rows: number;
  columns: number;
}

type Listener = () => void;

export class Stage {
  readonly element: HTMLElement;
  /** Row by row; as many as the grid has cells. */
  viewports: Viewport[] = [];
  grid: Grid = { rows: 0, columns: 0 };
  private at = 0;
  private readonly made: ((viewport: Viewport) => void)[] = [];
  private readonly listeners = new Set<Listener>();

  constructor(element: HTMLElement) {
    this.element = element;
  }

  get active(): Viewport {
    return this.viewports[this.at]!;
  }

  get activeIndex(): number {
    return this.at;
  }

  /** Called for each viewport, those that are there and those to come: layers, handlers, corners. */
  each(init: (viewport: Viewport) => void): void {
    this.made.push(init);
    this.viewports.forEach(init);
  }

  /** Told when the grid or the active viewport changes. @returns How to stop. */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Viewports that stay keep what they show. */
  setGrid(grid: Grid): void {
    if (grid.rows === this.grid.rows && grid.columns === this.grid.columns) return;
    this.grid = grid;
    this.element.style.gridTemplateColumns = `repeat(${grid.columns}, minmax(0, 1fr))`;
    this.element.style.gridTemplateRows = `repeat(${grid.rows}, minmax(0, 1fr))`;
    const count = grid.rows * grid.columns;
    for (const viewport of this.viewports.splice(count)) {
      viewport.destroy();
      viewport.element.remove();
    }
    while (this.viewports.length < count) this.add();
    this.at = Math.min(this.at, count - 1);
    this.tell();
  }

  activate(viewport: Viewport): void {
    const at = this.viewports.indexOf(viewport);
    if (at < 0 || at === this.at) return;
    this.at = at;
    this.tell();
  }

  private add(): void {
    const element = document.createElement("div");
    element.className = "vp";
    element.tabIndex = 0;
    this.element.append(element);
    const viewport = new Viewport(element);
    this.viewports.push(viewport);
    for (const init of this.made) init(viewport);
  }

  private tell(): void {
    this.viewports.forEach((each, i) => {
      each.element.classList.toggle("active", i === this.at);
    });
    for (const listener of [...this.listeners]) listener();
  }
}
