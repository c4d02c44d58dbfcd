/**
 * One place on the screen that shows frames of a Source.
 *
 * Its state is replaced by update(), never changed; everything that is drawn follows from state,
 * source and size. Three kinds of coordinates: image (pixels; 0, 0 is the top left corner of the
 * first one and 0.5, 0.5 its middle), screen (CSS pixels from the viewport's top left corner) and
 * patient (millimetres).
 */
import { DataError } from "../data/errors.ts";
import {
  type CoarsePicture,
  type Picture,
  type Shown,
  type Source,
  storedValue,
} from "../data/source.ts";
import { type Plane, toImage, toPatient, type Vec3 } from "../dicom/geometry.ts";
import { scalesOf } from "../dicom/scales.ts";
import { rescaled } from "../dicom/voi.ts";
import { Painter } from "../render/painter.ts";
import type { Voi } from "../render/shades.ts";
import { apply, inverse, type Matrix, type Point, scaled } from "./matrix.ts";
import {
  centreOf,
  type Extent,
  fitScale,
  INITIAL,
  type Quarter,
  type ViewState,
  viewMatrix,
} from "./state.ts";
import { settleVoi, voiFor } from "./voi_choice.ts";

/** Something drawn over the picture: measurements, reference lines, overlays. */
export interface Layer {
  /** Lower ones first. */
  readonly order: number;
  /** In screen coordinates; called whenever the view or, after redraw(), the layer changes. */
  draw(context: CanvasRenderingContext2D, viewport: Viewport): void;
}

export interface Probe {
  x: number;
  y: number;
  /** What the object stores, and what its Modality LUT makes of it; of colour all three. */
  stored: number[];
  value: number[];
  unit: string;
  /** The object's own value, where another is shown. */
  recorded: { value: number; unit: string } | null;
}

/** What listeners are told of: a new state, a new source, or a new picture on the screen. */
export type Change = "state" | "source" | "picture" | "size";
type Listener = (viewport: Viewport, change: Change, before: ViewState) => void;

const SMALLEST = 0.02;
const LARGEST = 64;

export class Viewport {
  readonly element: HTMLElement;
  source: Source | null = null;
  /** What is on the screen: the last picture that came, while the one asked for is loading. */
  picture: Picture | null = null;
  /** On the screen in place of the picture, which is still coming: nothing is read off it. */
  coarse: CoarsePicture | null = null;
  /** Pixels at the foot of a narrow pane that its texts take (ui/corners.ts): layers write above them. */
  foot = 0;
  /** Why the frame asked for cannot be shown. */
  error: DataError | null = null;
  private current: ViewState = INITIAL;
  private readonly image = document.createElement("canvas");
  private readonly graphics = document.createElement("canvas");
  private readonly painter: Painter;
  private readonly layers: Layer[] = [];
  private readonly listeners = new Set<Listener>();
  private readonly observer: ResizeObserver;
  private width = 1;
  private height = 1;
  private isImageDue = false;
  private isGraphicsDue = false;
  private isScheduled = false;

  constructor(element: HTMLElement) {
    this.element = element;
    this.image.className = "vp-image";
    this.graphics.className = "vp-graphics";
    element.append(this.image, this.graphics);
    this.painter = new Painter(this.image);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(element);
    this.resize();
  }

  destroy(): void {
    this.source?.blur(this);
    this.observer.disconnect();
    this.listeners.clear();
    this.source = null;
    this.element.replaceChildren();
  }

  // ---- state -------------------------------------------------------------------------------------

  get state(): Readonly<ViewState> {
    return this.current;
  }

  get size(): { width: number; height: number } {
    return { width: this.width, height: this.height };
  }

  /** Whether the frame asked for is the one on the screen. */
  get isLoading(): boolean {
    const { source, picture, error } = this;
    return source !== null && !error && (!picture || picture !== source.peek(this.current.index));
  }

  /** What is painted. */
  get shown(): Shown | null {
    return this.picture ?? this.coarse;
  }

  /** Show a source (or nothing), as it is shown at first unless `state` says otherwise. */
  show(source: Source | null, state: Partial<ViewState> = {}): void {
    const before = this.current;
    if (this.source && this.source !== source) this.source.blur(this);
    this.source = source;
    this.picture = null;
    this.coarse = null;
    this.error = null;
    this.current = { ...INITIAL, ...state };
    this.tell("source", before);
    if (source) this.seek(0);
    this.redraw();
  }

  update(patch: Partial<ViewState>): void {
    const before = this.current;
    const next = { ...before, ...patch };
    if (this.source) next.index = Math.max(0, Math.min(this.source.count - 1, next.index));
    const keys = Object.keys(next) as (keyof ViewState)[];
    if (keys.every((key) => Object.is(before[key], next[key]))) return;
    this.current = next;
    if (next.index !== before.index) this.seek(next.index > before.index ? 1 : -1);
    this.tell("state", before);
    this.redraw();
  }

  /** The source has other pixels for the frame shown. */
  refresh(): void {
    if (this.source) this.seek(0);
  }

  /** @returns How to stop listening. */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** For listeners that came after what is shown. */
  retell(): void {
    if (this.source) this.tell("source");
    if (this.shown || this.error) this.tell("picture");
  }

  private tell(change: Change, before: ViewState = this.current): void {
    for (const listener of [...this.listeners]) listener(this, change, before);
  }

  /** Bring the picture of the current index. */
  private seek(direction: -1 | 0 | 1): void {
    const source = this.source!;
    const { index } = this.current;
    this.error = null;
    const ready = source.peek(index);
    if (ready) this.arrived(ready);
    else {
      const isWanted = () => this.source === source && this.current.index === index;
      let isDone = false;
      void source.coarse?.(index).then(
        (coarse) => {
          if (coarse && !isDone && isWanted()) this.glimpsed(coarse);
        },
        () => undefined, // the picture itself will come, or say why not
      );
      source.picture(index).then(
        (picture) => {
          isDone = true;
          if (isWanted()) this.arrived(picture);
        },
        (error: unknown) => {
          isDone = true;
          if (!isWanted()) return;
          this.picture = null;
          this.coarse = null;
          this.error =
            error instanceof DataError
              ? error
              : new DataError("damaged", source.key, String(error));
          this.tell("picture");
          this.redraw();
        },
      );
    }
    source.focus(this, index, direction);
  }

  private glimpsed(coarse: CoarsePicture): void {
    this.picture = null;
    this.coarse = coarse;
    this.tell("picture");
    this.redraw();
  }

  private arrived(picture: Picture): void {
    this.picture = picture;
    this.coarse = null;
    this.error = null;
    this.tell("picture");
    this.redraw();
    const before = this.voi;
    void settleVoi(this.source!, picture)?.then(() => {
      if (this.voi === before) return;
      this.tell("state");
      this.redraw();
    });
  }

  // ---- what people do ----------------------------------------------------------------------------

  scrollBy(frames: number): void {
    this.update({ index: this.current.index + frames });
  }

  /** Zoom about a screen point, which stays where it is. */
  zoomBy(factor: number, at: Point = this.middle): void {
    if (!this.extent) return;
    const scale = Math.max(SMALLEST, Math.min(LARGEST, this.scale * factor));
    const fixed = this.toImage(at);
    this.update({ scale, centre: this.centre });
    const now = this.toImage(at);
    const { x, y } = this.centre;
    this.update({ centre: { x: x + fixed.x - now.x, y: y + fixed.y - now.y } });
  }

  /** Move the image by so many CSS pixels. */
  panBy(x: number, y: number): void {
    if (!this.extent) return;
    const from = this.toImage({ x: 0, y: 0 });
    const to = this.toImage({ x, y });
    const { centre } = this;
    this.update({
      scale: this.scale,
      centre: { x: centre.x + from.x - to.x, y: centre.y + from.y - to.y },
    });
  }

  fit(): void {
    this.update({ scale: null, centre: null });
  }

  /** A pixel of the image on a pixel of the screen. */
  oneToOne(): void {
    this.update({ scale: 1 / this.ratio, centre: this.centre });
  }

  /** Clockwise as it is seen, whether flipped or not. */
  rotateBy(quarter: 90 | 180 | 270): void {
    const turn = this.current.flip ? 360 - quarter : quarter;
    this.update({ rotation: ((this.current.rotation + turn) % 360) as Quarter });
  }

  flipBy(direction: "horizontal" | "vertical"): void {
    const turn = direction === "vertical" ? 180 : 0;
    this.update({
      flip: !this.current.flip,
      rotation: ((this.current.rotation + turn) % 360) as Quarter,
    });
  }

  /** Everything as at first, on the same frame. */
  reset(): void {
    this.update({ ...INITIAL, index: this.current.index });
  }

  // ---- coordinates -------------------------------------------------------------------------------

  get middle(): Point {
    return { x: this.width / 2, y: this.height / 2 };
  }

  get ratio(): number {
    return window.devicePixelRatio || 1;
  }

  get extent(): Extent | null {
    const { shown } = this;
    if (!shown) return null;
    const { x, y } = shown.info.spacing;
    return { rows: shown.rows, columns: shown.columns, aspect: y / x || 1 };
  }

  /** CSS pixels to a pixel of the image, also where it is fitted. */
  get scale(): number {
    const { extent } = this;
    const { scale, rotation } = this.current;
    return scale ?? (extent ? fitScale(extent, rotation, this.width, this.height) : 1);
  }

  get centre(): Point {
    const { extent } = this;
    return extent ? centreOf(this.current, extent, this.scale, this.width) : { x: 0, y: 0 };
  }

  /** Image to screen. */
  get matrix(): Matrix {
    const extent = this.extent ?? { rows: 1, columns: 1, aspect: 1 };
    return viewMatrix(this.current, extent, this.width, this.height);
  }

  get plane(): Plane | null {
    return this.shown?.info.plane ?? null;
  }

  toScreen(image: Point): Point {
    return apply(this.matrix, image.x, image.y);
  }

  toImage(screen: Point): Point {
    return apply(inverse(this.matrix), screen.x, screen.y);
  }

  /** Null where the picture has no place in space. */
  imageToPatient(image: Point): Vec3 | null {
    return this.plane ? toPatient(this.plane, image.x, image.y) : null;
  }

  patientToImage(point: Vec3): { x: number; y: number; off: number } | null {
    return this.plane ? toImage(this.plane, point) : null;
  }

  // ---- values ------------------------------------------------------------------------------------

  /** The window or table that the picture is shown through. */
  get voi(): Voi | null {
    if (!this.source || !this.shown) return null;
    return voiFor(this.source, this.shown, this.current.voi);
  }

  /** What is at an image point; null beside the image, and while there is a coarse one only. */
  probe(image: Point): Probe | null {
    const x = Math.floor(image.x);
    const y = Math.floor(image.y);
    const shown = this.picture;
    if (!shown || x < 0 || y < 0 || x >= shown.columns || y >= shown.rows) return null;
    const index = y * shown.columns + x;
    if (shown.kind === "colour") {
      const stored = [...shown.rgba.subarray(4 * index, 4 * index + 3)];
      return { x, y, stored, value: stored, unit: "", recorded: null };
    }
    const stored = storedValue(shown, index);
    const scales = scalesOf(shown.info, stored);
    const own = scales.recorded;
    return {
      x,
      y,
      stored: [stored],
      value: [rescaled(scales.shown, stored)],
      unit: scales.shown.unit,
      recorded: own && { value: rescaled(own, stored), unit: own.unit },
    };
  }

  // ---- drawing -----------------------------------------------------------------------------------

  /** @returns How to take it away. */
  addLayer(layer: Layer): () => void {
    this.layers.push(layer);
    this.layers.sort((a, b) => a.order - b.order);
    this.redraw("graphics");
    return () => {
      const at = this.layers.indexOf(layer);
      if (at >= 0) this.layers.splice(at, 1);
      this.redraw("graphics");
    };
  }

  /** Before the next picture of the screen. */
  redraw(what: "all" | "graphics" = "all"): void {
    this.isGraphicsDue = true;
    if (what === "all") this.isImageDue = true;
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => this.drawNow());
  }

  /** At once; for tests, printing and pictures to be saved. */
  drawNow(): void {
    this.isScheduled = false;
    if (this.isImageDue) this.drawImage();
    if (this.isGraphicsDue) this.drawGraphics();
    this.isImageDue = false;
    this.isGraphicsDue = false;
  }

  /** The picture larger, about a screen point in the middle of a box; a magnifier's glass. */
  paintPart(
    context: CanvasRenderingContext2D,
    middle: Point,
    times: number,
    box: { x: number; y: number; width: number; height: number },
  ): void {
    const picture = this.shown;
    if (!picture) return;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(box.width * this.ratio);
    canvas.height = Math.round(box.height * this.ratio);
    const m = scaled(this.matrix, times);
    const matrix = {
      ...m,
      e: m.e - middle.x * times + box.width / 2,
      f: m.f - middle.y * times + box.height / 2,
    };
    const { voi } = this;
    const { invert, smooth } = this.current;
    new Painter(canvas).paint({ picture, matrix: scaled(matrix, this.ratio), voi, invert, smooth });
    context.drawImage(canvas, box.x, box.y, box.width, box.height);
  }

  private drawImage(): void {
    const picture = this.shown;
    if (!picture) {
      this.painter.clear();
      return;
    }
    this.painter.paint({
      picture,
      matrix: scaled(this.matrix, this.ratio),
      voi: this.voi,
      invert: this.current.invert,
      smooth: this.current.smooth,
    });
  }

  private drawGraphics(): void {
    const context = this.graphics.getContext("2d")!;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    for (const layer of this.layers) {
      context.save();
      layer.draw(context, this);
      context.restore();
    }
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.element;
    this.width = Math.max(1, clientWidth);
    this.height = Math.max(1, clientHeight);
    for (const canvas of [this.image, this.graphics]) {
      canvas.width = Math.round(this.width * this.ratio);
      canvas.height = Math.round(this.height * this.ratio);
    }
    this.tell("size");
    // At once: a canvas that changed its size is empty until it is drawn.
    this.isImageDue = true;
    this.isGraphicsDue = true;
    this.drawNow();
  }
}
