/** Electrocardiograms and other curves, to scale on millimetre paper. */

import type { DataSet } from "../dicom/dataset.ts";
import { type Channel, type Multiplex, readWaveforms } from "../dicom/waveform.ts";
import { t } from "../words.ts";
import { button, el } from "./dom.ts";

interface Paper {
  /** CSS pixels of a millimetre of the paper. */
  mm: number;
  /** Millimetres a second, and a millivolt. */
  speed: number;
  gain: number;
}

const MARGIN_MM = 16;
const LEAD_MM = 20;
const PULSE_MM = 5;
const SPEEDS = [12.5, 25, 50];
const GAINS = [5, 10, 20];
const SIZES = [2.5, 3.7795, 5.5, 8];

export function waveformView(ds: DataSet): HTMLElement {
  const groups = readWaveforms(ds);
  const made = el("div", { class: "waveform" });
  if (!groups.length) {
    made.append(el("p", {}, t("wave.none")));
    return made;
  }
  const paper: Paper = { mm: SIZES[1]!, speed: 25, gain: 10 };
  let shown = groups[0]!;
  const sheet = new Sheet();
  const scale = el("p", { class: "quiet", dir: "ltr" });
  const draw = () => {
    sheet.show(shown, paper);
    scale.textContent = t("wave.scale", { speed: paper.speed, gain: paper.gain });
  };
  const controls = el("div", { class: "controls" });
  if (groups.length > 1) {
    const names = groups.map((each, i) => groupName(each, i));
    controls.append(
      choice(t("wave.group"), names, 0, (at) => {
        shown = groups[at]!;
        draw();
      }),
    );
  }
  const named = (all: number[], unit: string) => all.map((each) => `${each} ${unit}`);
  controls.append(
    choice(t("wave.speed"), named(SPEEDS, "mm/s"), 1, (at) => {
      paper.speed = SPEEDS[at]!;
      draw();
    }),
    choice(t("wave.gain"), named(GAINS, "mm/mV"), 1, (at) => {
      paper.gain = GAINS[at]!;
      draw();
    }),
    button(t("wave.larger"), () => size(1)),
    button(t("wave.smaller"), () => size(-1)),
  );
  const size = (step: number) => {
    const at = SIZES.indexOf(paper.mm) + step;
    paper.mm = SIZES[Math.max(0, Math.min(SIZES.length - 1, at))]!;
    draw();
  };
  made.append(controls, scale, sheet.element, el("p", { class: "quiet" }, t("wave.note")));
  draw();
  return made;
}

function groupName(group: Multiplex, at: number): string {
  const seconds = Math.round((group.samples / group.frequency) * 10) / 10;
  return `${group.label || t("wave.group-number", { number: at + 1 })} (${seconds} s)`;
}

function choice(name: string, options: string[], at: number, chosen: (at: number) => void) {
  const select = el("select", {}, ...options.map((each) => el("option", {}, each)));
  select.selectedIndex = at;
  select.addEventListener("change", () => chosen(select.selectedIndex));
  return el("label", {}, `${name} `, select);
}

/** Draws what can be seen of the paper: hours of a Holter are wider than any canvas. */
class Sheet {
  readonly element: HTMLElement;
  private readonly canvas = el("canvas", { role: "img" });
  private readonly room = el("div", { class: "room" });
  private group: Multiplex | null = null;
  private paper: Paper = { mm: 1, speed: 25, gain: 10 };
  private isDue = false;

  constructor() {
    this.room.append(this.canvas);
    this.element = el("div", { class: "paper", tabindex: "0", dir: "ltr" }, this.room);
    this.element.addEventListener("scroll", () => this.later());
    new ResizeObserver(() => this.later()).observe(this.element);
  }

  show(group: Multiplex, paper: Paper): void {
    this.group = group;
    this.paper = { ...paper };
    const seconds = group.samples / group.frequency;
    const width = (MARGIN_MM + seconds * paper.speed + 4) * paper.mm;
    this.room.style.width = `${width}px`;
    this.room.style.height = `${this.height}px`;
    const names = group.channels.map((each) => each.name).join(", ");
    this.canvas.setAttribute("aria-label", t("wave.label", { leads: names }));
    this.element.setAttribute("aria-label", t("wave.label", { leads: names }));
    this.later();
  }

  private get height(): number {
    return ((this.group?.channels.length ?? 0) * LEAD_MM + 4) * this.paper.mm;
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
    const { group, paper } = this;
    if (!group) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.min(this.element.clientWidth, this.room.clientWidth);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${this.height}px`;
    const left = this.element.scrollLeft;
    const context = this.canvas.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, this.height);
    context.translate(-left, 0);
    drawGrid(context, left, left + width, this.height, paper.mm);
    group.channels.forEach((channel, i) => {
      const middle = (i + 0.5) * LEAD_MM * paper.mm + 2 * paper.mm;
      drawCurve(context, channel, group.frequency, middle, left, width, paper);
    });
    // Names stay where they can be read while the paper moves below them.
    group.channels.forEach((channel, i) => {
      drawName(context, channel, (i * LEAD_MM + 5) * paper.mm, left + 4, paper);
    });
  }
}

function drawGrid(
  context: CanvasRenderingContext2D,
  from: number,
  to: number,
  height: number,
  mm: number,
): void {
  for (const [step, colour, width] of [
    [1, "#f6d5d5", 0.5],
    [5, "#e59a9a", 1],
  ] as const) {
    if (step * mm < 3) continue;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (let x = Math.ceil(from / (step * mm)) * step * mm; x <= to; x += step * mm) {
      context.moveTo(x, 0);
      context.lineTo(x, height);
    }
    for (let y = 0; y <= height; y += step * mm) {
      context.moveTo(from, y);
      context.lineTo(to, y);
    }
    context.stroke();
  }
}

/** Millimetres of the paper for one unit of the channel. */
function gainOf(channel: Channel, paper: Paper): number {
  if (channel.unit === "mV") return paper.gain;
  // Pressures, breathing and the like have no scale that everybody knows: they fill their row.
  const [low, high] = extremes(channel.values);
  return ((LEAD_MM - 4) / Math.max(1e-9, high - low)) * (paper.gain / 10);
}

function extremes(values: Float32Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

function drawCurve(
  context: CanvasRenderingContext2D,
  channel: Channel,
  frequency: number,
  middle: number,
  left: number,
  width: number,
  paper: Paper,
): void {
  const { mm } = paper;
  const gain = gainOf(channel, paper) * mm;
  const zero = channel.unit === "mV" ? 0 : extremes(channel.values).reduce((a, b) => a + b) / 2;
  const step = (paper.speed * mm) / frequency;
  const start = MARGIN_MM * mm;
  context.strokeStyle = "#101418";
  context.lineWidth = 1.2;
  context.lineJoin = "round";
  context.beginPath();
  if (channel.unit === "mV") {
    const top = middle - gain;
    const x = start - (PULSE_MM + 4) * mm;
    context.moveTo(x - 2 * mm, middle);
    context.lineTo(x, middle);
    context.lineTo(x, top);
    context.lineTo(x + PULSE_MM * mm, top);
    context.lineTo(x + PULSE_MM * mm, middle);
    context.lineTo(x + (PULSE_MM + 2) * mm, middle);
  }
  const first = Math.max(0, Math.floor((left - start) / step) - 1);
  const last = Math.min(channel.values.length - 1, Math.ceil((left + width - start) / step) + 1);
  let isDown = false;
  for (let i = first; i <= last; i++) {
    const value = channel.values[i]!;
    if (Number.isNaN(value)) {
      isDown = false;
      continue;
    }
    const y = middle - (value - zero) * gain;
    if (isDown) context.lineTo(start + i * step, y);
    else context.moveTo(start + i * step, y);
    isDown = true;
  }
  context.stroke();
}

function drawName(
  context: CanvasRenderingContext2D,
  channel: Channel,
  y: number,
  x: number,
  paper: Paper,
): void {
  const text = channel.unit === "mV" ? channel.name : nameWithScale(channel, paper);
  context.font = "bold 14px system-ui, sans-serif";
  context.lineWidth = 4;
  context.strokeStyle = "#fff";
  context.strokeText(text, x, y);
  context.fillStyle = "#101418";
  context.fillText(text, x, y);
}

function nameWithScale(channel: Channel, paper: Paper): string {
  const [low, high] = extremes(channel.values);
  const round = (value: number) => Number(value.toPrecision(3));
  const unit = channel.unit || t("wave.no-unit");
  return `${channel.name} (${round(low)}–${round(high)} ${unit}, ${round(gainOf(channel, paper))} mm/${unit})`;
}
