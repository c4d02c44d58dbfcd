/** The reader's tools, put together over the pictures. */
import type { App } from "../app.ts";
import { Cursor } from "../compare/cursor.ts";
import { attachLines } from "../compare/lines.ts";
import { Sync } from "../compare/sync.ts";
import { measureLayer } from "../measure/layer.ts";
import { Measurements } from "../measure/model.ts";
import { MeasureTools } from "../measure/tools.ts";
import { unitLayer } from "../measure/unit_layer.ts";
import { Store } from "../store.ts";
import { CineBar } from "../ui/cine_bar.ts";
import { askText } from "../ui/dialog.ts";
import { attachDrop } from "../ui/drop.ts";
import { faultText } from "../ui/faults.ts";
import { closeMenu, type MenuGroups, openMenu } from "../ui/menu.ts";
import { notify } from "../ui/notice.ts";
import { KeyPointer } from "../view/key_pointer.ts";
import { magnifierLayer, magnifierTool } from "../view/magnifier.ts";
import type { Point } from "../view/matrix.ts";
import { scaleBar } from "../view/scale_bar.ts";
import type { Grid } from "../view/stage.ts";
import type { Viewport } from "../view/viewport.ts";
import { t } from "../words.ts";
import { benchCommands, toolCommands } from "./commands.ts";
import { hangMammograms } from "./hanging.ts";
import { Marked } from "./marked.ts";
import { type MenuId, menusOf, pictureMenu } from "./menus.ts";
import { SETTINGS, type Settings } from "./settings.ts";
import { Subtraction } from "./subtraction.ts";
import { Toolbar } from "./toolbar.ts";
import { Volumes } from "./volumes.ts";

export class Bench {
  readonly app: App;
  readonly settings = new Store<Settings>(SETTINGS);
  readonly measurements = new Measurements();
  readonly measureTools: MeasureTools;
  readonly sync: Sync;
  readonly cursor: Cursor;
  readonly keyPointer: KeyPointer;
  readonly volumes: Volumes;
  readonly marked: Marked;
  readonly subtraction: Subtraction;
  readonly toolbar: Toolbar;

  constructor(app: App) {
    this.app = app;
    const { stage } = app;
    this.measureTools = new MeasureTools(this.measurements, (now) =>
      askText(app.slots.over, t("measure.ask-text"), now),
    );
    this.sync = new Sync(stage, () => this.settings.get());
    this.cursor = new Cursor(stage, this.sync);
    this.keyPointer = new KeyPointer({
      toolFor: (viewport, at) =>
        app.grab?.(viewport, at, {}) ?? app.toolFor(0, { shiftKey: false }),
      hover: (viewport, at) => app.toolFor(0, { shiftKey: false })?.hover?.(viewport, at, HOVER),
    });
    this.volumes = new Volumes(app);
    this.marked = new Marked(app);
    this.subtraction = new Subtraction(app);
    const lines = attachLines(stage, () => this.settings.get().lines);
    const measures = measureLayer(this.measurements);
    stage.each((viewport) => {
      for (const layer of [scaleBar, unitLayer, magnifierLayer, measures]) viewport.addLayer(layer);
      this.keyPointer.listen(viewport);
      viewport.element.addEventListener("focus", () => stage.activate(viewport));
      viewport.element.addEventListener("dblclick", () => {
        this.measureTools.abandon();
        this.enlarge();
      });
    });
    this.measurements.on(() => {
      for (const each of stage.viewports) each.redraw("graphics");
    });
    app.addTools(...this.measureTools.tools(), this.cursor.tool, magnifierTool);
    app.grab = (viewport, at, event) =>
      this.settings.get().graphics ? this.measureTools.grab(viewport, at, event) : null;
    app.openMenu = (viewport, at) => this.pictureMenu(viewport, at);
    const cine = new CineBar(app);
    app.commands.add(...toolCommands(), ...benchCommands(this), ...cine.commands());
    this.toolbar = new Toolbar(this);
    attachDrop(app, (n, at) => this.show(n, at));
    this.settings.on((now, before) => {
      this.applySettings();
      if (now.scroll === "place" && before.scroll !== "place") this.sync.align(stage.active);
      lines.redraw();
    });
    // A tool is left half-way when another one is taken.
    app.store.on((now, before) => {
      if (now.tools[0] === before.tools[0]) return;
      this.measureTools.abandon();
      this.applySettings();
    });
    this.applySettings();
  }

  setGrid(grid: Grid): void {
    this.app.stage.element.classList.remove("solo");
    this.app.stage.setGrid(grid);
    void this.fill();
  }

  get isEnlarged(): boolean {
    return this.app.stage.element.classList.contains("solo");
  }

  /** One picture over the whole place, and back. */
  enlarge(): void {
    const { stage } = this.app;
    if (stage.viewports.length > 1) stage.element.classList.toggle("solo");
    this.toolbar.later();
  }

  nextViewport(step: 1 | -1): void {
    const { stage } = this.app;
    const next = stage.viewports[stage.activeIndex + step];
    if (!next) return;
    stage.activate(next);
    next.element.focus();
  }

  /** Whether the focus is on a picture and there is another one: else Tab is the browser's. */
  canStep(step: 1 | -1): boolean {
    const { stage } = this.app;
    const isHere = document.activeElement === stage.active?.element;
    return isHere && stage.viewports[stage.activeIndex + step] !== undefined;
  }

  nextSeries(step: 1 | -1): void {
    const all = this.shownSeries();
    const now = all.findIndex((n) => `series/${n}` === this.app.stage.active.source?.key);
    const next = all[(now + step + all.length) % all.length];
    if (next !== undefined) void this.show(next, this.app.stage.activeIndex).catch(this.fail);
  }

  nextMeasurement(): void {
    const all = this.measurements.of(this.app.stage.active.picture);
    const now = all.findIndex((each) => each.id === this.measurements.selected);
    this.measurements.select(all[(now + 1) % all.length]?.id ?? 0);
  }

  /** What is begun is given up; then what is chosen; then the point everywhere. */
  escape(): void {
    closeMenu();
    this.keyPointer.stop();
    if (this.measureTools.abandon()) return;
    if (this.measurements.selected) this.measurements.select(0);
    else if (this.isEnlarged) this.enlarge();
    else this.cursor.clear();
  }

  async show(n: number, at: number): Promise<void> {
    const viewport = this.app.stage.viewports[at];
    const place = this.app.disc.place(n);
    if (!viewport || !place) return;
    this.app.stage.activate(viewport);
    if (place.entry.kind === "key") await this.marked.toggleKeyImages(n);
    else await this.app.open(n, viewport);
  }

  async hang(): Promise<void> {
    const { study } = this.app.store.get();
    const place = this.app.disc.places.find((each) => each.study.uid === study);
    if (place && !(await hangMammograms(this.app, place.study).catch(() => false))) {
      notify(this.app, t("hang.none"));
    }
  }

  openMenu(id: MenuId): void {
    this.toolbar.open(id);
  }

  pictureMenu(viewport: Viewport, at: Point): void {
    const box = viewport.element.getBoundingClientRect();
    const [left, top] = [box.left + at.x, box.top + at.y];
    void pictureMenu(this, viewport).then((groups: MenuGroups) =>
      openMenu(
        this.app.slots.over,
        groups,
        { left, top, above: top },
        t("menu.picture"),
        viewport.element,
      ),
    );
  }

  menu(id: MenuId): Promise<MenuGroups> {
    return menusOf(this, id);
  }

  private readonly fail = (error: unknown) => notify(this.app, faultText(error));

  /** Series with pictures, of the study shown. */
  private shownSeries(): number[] {
    const { study } = this.app.store.get();
    return this.app.disc.places
      .filter((each) => each.study.uid === study)
      .filter(({ entry }) => entry.kind === "image" && entry.pack === "whole")
      .map(({ entry }) => entry.n);
  }

  /** Empty places show what comes next in the study. */
  private async fill(): Promise<void> {
    const { stage } = this.app;
    const shown = new Set(stage.viewports.map((each) => each.source?.key));
    const waiting = this.shownSeries().filter((n) => !shown.has(`series/${n}`));
    for (const viewport of stage.viewports) {
      if (viewport.source) continue;
      const n = waiting.shift();
      if (n === undefined) return;
      const series = await this.app.disc.series(n).catch(() => null); // the list says what is wrong
      if (series?.count && !viewport.source) viewport.show(series);
    }
    if (this.settings.get().scroll === "place") this.sync.align(stage.active);
  }

  private applySettings(): void {
    const { stage } = this.app;
    const { texts, graphics } = this.settings.get();
    stage.element.classList.toggle("no-texts", !texts);
    stage.element.classList.toggle("no-graphics", !graphics);
    stage.element.style.cursor = this.app.toolFor(0, { shiftKey: false })?.cursor ?? "";
  }
}

const HOVER = new PointerEvent("pointermove", { pointerType: "mouse" });
