/** Chosen frames of one or more sources as a source of their own: key images. */

import type { FrameInfo } from "../dicom/frame.ts";
import type { CoarsePicture, Picture, Progress, Source } from "./source.ts";

export interface Chosen {
  source: Source;
  index: number;
}

export class Subset implements Source {
  readonly key: string;
  readonly modality: string;
  readonly items: readonly Chosen[];

  constructor(key: string, items: readonly Chosen[]) {
    this.key = key;
    this.items = items;
    this.modality = items[0]?.source.modality ?? "";
  }

  get count(): number {
    return this.items.length;
  }

  peek(index: number): Picture | null {
    const item = this.items[index];
    return item ? item.source.peek(item.index) : null;
  }

  picture(index: number): Promise<Picture> {
    const { source, index: at } = this.items[index]!;
    return source.picture(at);
  }

  coarse(index: number): Promise<CoarsePicture | null> {
    const { source, index: at } = this.items[index]!;
    return source.coarse?.(at) ?? Promise.resolve(null);
  }

  info(index: number): FrameInfo | null {
    const item = this.items[index];
    return item ? item.source.info(item.index) : null;
  }

  async ready(): Promise<void> {
    await Promise.all([...this.sources()].map((each) => each.ready()));
  }

  focus(who: object, index: number): void {
    const { source, index: at } = this.items[index]!;
    for (const each of this.sources()) if (each !== source) each.blur(who);
    source.focus(who, at, 0);
  }

  blur(who: object): void {
    for (const each of this.sources()) each.blur(who);
  }

  progress(): Progress {
    const ready = this.items.filter((each) => each.source.peek(each.index)).length;
    return { ready, failed: 0, total: this.count };
  }

  watch(listener: () => void): () => void {
    const stops = [...this.sources()].map((each) => each.watch(listener));
    return () => {
      for (const stop of stops) stop();
    };
  }

  private sources(): Set<Source> {
    return new Set(this.items.map((each) => each.source));
  }
}
