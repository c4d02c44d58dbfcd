/** Measurements: each belongs to one frame of one object and is shown on no other. */
import type { Picture } from "../data/source.ts";
import type { Point } from "../view/matrix.ts";

export type MeasureKind = "length" | "angle" | "ellipse" | "rectangle" | "value" | "arrow";

export interface Measurement {
  readonly id: number;
  readonly kind: MeasureKind;
  /** SOP Instance UID and frame number, as `ownerOf` writes them. */
  readonly owner: string;
  /** Image coordinates. Ellipse and rectangle: two opposite corners of what is about them. */
  readonly points: readonly Point[];
  /** Of an arrow. */
  readonly text: string;
}

export const POINTS: Record<MeasureKind, number> = {
  length: 2,
  angle: 3,
  ellipse: 2,
  rectangle: 2,
  value: 1,
  arrow: 2,
};

export function ownerOf(picture: Picture): string {
  return `${picture.info.uid}/${picture.info.number}`;
}

export class Measurements {
  /** Which one keys go to, 0 for none. */
  selected = 0;
  private all: readonly Measurement[] = [];
  private last = 0;
  private readonly listeners = new Set<() => void>();

  of(picture: Picture | null): readonly Measurement[] {
    if (!picture) return [];
    const owner = ownerOf(picture);
    return this.all.filter((each) => each.owner === owner);
  }

  get list(): readonly Measurement[] {
    return this.all;
  }

  get(id: number): Measurement | null {
    return this.all.find((each) => each.id === id) ?? null;
  }

  add(made: Omit<Measurement, "id">): number {
    this.last++;
    this.all = [...this.all, { ...made, id: this.last }];
    this.selected = this.last;
    this.tell();
    return this.last;
  }

  change(id: number, patch: Partial<Pick<Measurement, "points" | "text">>): void {
    this.all = this.all.map((each) => (each.id === id ? { ...each, ...patch } : each));
    this.tell();
  }

  remove(id: number): void {
    this.all = this.all.filter((each) => each.id !== id);
    if (this.selected === id) this.selected = 0;
    this.tell();
  }

  removeAll(owner: string): void {
    this.all = this.all.filter((each) => each.owner !== owner);
    this.selected = 0;
    this.tell();
  }

  select(id: number): void {
    if (this.selected === id) return;
    this.selected = id;
    this.tell();
  }

  on(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
