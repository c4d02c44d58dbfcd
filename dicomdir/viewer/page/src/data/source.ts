/**
 * What a viewport scrolls through: a series of the medium, a reformatted volume, another disc's
 * files. Whoever makes pictures implements Source; viewports know nothing else.
 */
import type { FrameInfo } from "../dicom/frame.ts";
import type { Cells } from "./codec.ts";

/** Grey or palette pixels as they are stored, one sample each. */
export interface GreyPicture {
  kind: "grey";
  info: FrameInfo;
  rows: number;
  columns: number;
  /** Unsigned cells of `info.allocated` bits; `storedValue` makes them numbers. */
  cells: Cells;
  /** At half the size (`halved`), where it was made beside the page: fitted to a screen at once. */
  half?: Cells;
}

/** Red, green, blue, alpha of each pixel, as canvases take them. */
export interface ColourPicture {
  kind: "colour";
  info: FrameInfo;
  rows: number;
  columns: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

export type Picture = GreyPicture | ColourPicture;

/**
 * Seen while the picture itself is on its way; not one: nothing is measured on it, and no values are
 * read off it.
 */
export interface CoarsePicture {
  kind: "coarse";
  info: FrameInfo;
  /** Of the picture that it stands for. */
  rows: number;
  columns: number;
  /** Pixels of the picture to one of the cells, along each side; what is over is left out. */
  step: number;
  cells: Cells;
}

/** What can be painted. */
export type Shown = Picture | CoarsePicture;

/** How far a source has come, in frames: ready to be shown at once, or never to be. */
export interface Progress {
  ready: number;
  failed: number;
  total: number;
}

export interface Source {
  /** Unique on this page, such as "series/3". */
  readonly key: string;
  readonly modality: string;
  /** Number of frames, in display order. */
  readonly count: number;
  /** What it is called beside its number: "Coronal, MIP 10 mm"; missing: nothing. */
  label?(): string;
  /** The frame if it is decoded already: a viewport paints it in the same breath. */
  peek(index: number): Picture | null;
  /** @throws DataError The frame is unreadable, damaged or cannot be shown. */
  picture(index: number): Promise<Picture>;
  /** What can be seen of a frame before its picture comes, or null: there is none, or no need. */
  coarse?(index: number): Promise<CoarsePicture | null>;
  /** What the frame's header says, without its pixels; null while the header is not there. */
  info(index: number): FrameInfo | null;
  /** Headers of all frames, loaded. */
  ready(): Promise<void>;
  /** Until then what nobody waits for has to wait: the first picture is on its way. */
  leisure?(): Promise<void>;
  /** `who` looks at this frame: load from here outwards, decode ahead in this direction. */
  focus(who: object, index: number, direction: -1 | 0 | 1): void;
  /** `who` does not look at this source any more. */
  blur(who: object): void;
  progress(): Progress;
  /** Called whenever progress changes; returns how to stop it. */
  watch(listener: () => void): () => void;
}

/** The number that a grey picture stores at a pixel: what pydicom's pixel_array has there. */
export function storedValue(picture: Pick<GreyPicture, "cells" | "info">, index: number): number {
  const { stored, shift, isSigned } = picture.info;
  return cellValue(picture.cells[index]!, stored, shift, isSigned);
}

export function cellValue(cell: number, stored: number, shift: number, isSigned: boolean): number {
  if (stored >= 32) return isSigned ? cell | 0 : cell >>> 0;
  const value = (cell >>> shift) & (2 ** stored - 1);
  return isSigned && value >= 2 ** (stored - 1) ? value - 2 ** stored : value;
}
