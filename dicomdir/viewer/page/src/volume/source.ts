/** One view of a volume as a Source: viewports scroll through it as through any series. */
import type { GreyPicture, Picture, Progress, Source } from "../data/source.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { letters, type Plane } from "../dicom/geometry.ts";
import { t } from "../words.ts";
import { type Blend, sliceOf } from "./resample.ts";
import { planeOfView, type View } from "./views.ts";
import type { Volume } from "./volume.ts";

const KEPT = 24;

export class ViewSource implements Source {
  readonly key: string;
  readonly modality: string;
  readonly count: number;
  readonly volume: Volume;
  readonly view: View;
  /** Thickness in millimetres of what is taken together; 0: one image. */
  thickness = 0;
  blend: Blend = "max";
  private readonly made = new Map<number, GreyPicture>();
  private readonly infos = new Map<number, FrameInfo>();

  constructor(volume: Volume, view: View) {
    this.volume = volume;
    this.view = view;
    this.key = `${volume.source.key}/${view.name}`;
    this.modality = volume.source.modality;
    this.count = view.count;
    volume.watch(() => this.made.clear());
  }

  get slab(): number {
    const step = this.view.spacing[2];
    return Math.max(1, Math.min(this.count, Math.round(this.thickness / step)));
  }

  planes(): Plane[] {
    const { stack } = this.volume;
    return Array.from({ length: this.count }, (_, i) => planeOfView(stack, this.view, i));
  }

  label(): string {
    const { blend, view, thickness } = this;
    const name = t(`view.${view.name}`);
    const slab = this.slab > 1 ? t(`slab.${blend}`, { mm: thickness }) : "";
    return [name, slab].filter(Boolean).join(", ");
  }

  setSlab(thickness: number, blend: Blend): void {
    this.thickness = thickness;
    this.blend = blend;
    this.made.clear();
    this.infos.clear();
  }

  peek(index: number): Picture | null {
    return this.made.get(index) ?? this.make(index);
  }

  picture(index: number): Promise<Picture> {
    return Promise.resolve(this.peek(index)!);
  }

  info(index: number): FrameInfo {
    let info = this.infos.get(index);
    if (!info) {
      const { like, stack } = this.volume;
      const plane = planeOfView(stack, this.view, index);
      const slab = this.slab > 1 ? `/${this.blend}${this.slab}` : "";
      info = {
        ...like,
        // Measurements belong to an image of this view, not to a slice of the series.
        uid: `${this.key}${slab}`,
        number: index + 1,
        rows: this.view.rows,
        columns: this.view.columns,
        allocated: 16,
        stored: 16,
        shift: 0,
        plane,
        orientation: [letters(plane.row), letters(plane.column)],
        spacing: {
          source: "pixel",
          x: this.view.spacing[0],
          y: this.view.spacing[1],
          regions: [],
        },
        overlays: [],
        shutter: null,
      };
      this.infos.set(index, info);
    }
    return info;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  focus(): void {}

  blur(): void {}

  progress(): Progress {
    const { ready, failed, total } = this.volume;
    return { ready, failed, total };
  }

  watch(listener: () => void): () => void {
    return this.volume.watch(listener);
  }

  private make(index: number): GreyPicture {
    const values = sliceOf(this.volume.voxels, this.view, index, this.slab, this.blend);
    const cells = new Uint16Array(values.buffer, values.byteOffset, values.length);
    const info = this.info(index);
    const picture: GreyPicture = {
      kind: "grey",
      info,
      rows: info.rows,
      columns: info.columns,
      cells: cells as GreyPicture["cells"],
    };
    const oldest = this.made.keys().next();
    if (this.made.size >= KEPT && !oldest.done) this.made.delete(oldest.value);
    this.made.set(index, picture);
    return picture;
  }
}
