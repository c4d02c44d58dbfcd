/** Reformatted views of the active series: what is made, what it costs, why it cannot be. */
import type { App } from "../app.ts";
import { nearestFrame } from "../compare/planes.ts";
import { toPatient, type Vec3 } from "../dicom/geometry.ts";
import { number } from "../measure/labels.ts";
import { notify } from "../ui/notice.ts";
import type { Viewport } from "../view/viewport.ts";
import type { Blend } from "../volume/resample.ts";
import { ViewSource } from "../volume/source.ts";
import { type ViewName, viewsOf } from "../volume/views.ts";
import { Volume, VolumeError } from "../volume/volume.ts";
import { t } from "../words.ts";

export const VIEW_NAMES: readonly ViewName[] = ["axial", "coronal", "sagittal"];
export const BLENDS: readonly Blend[] = ["max", "min", "mean"];
export const THICKNESSES = [5, 10, 20, 50] as const;

export class Volumes {
  private readonly app: App;
  private volume: Volume | null = null;

  constructor(app: App) {
    this.app = app;
    app.stage.each((viewport) => {
      let stop: (() => void) | null = null;
      viewport.on((_, change) => {
        if (change !== "source") return;
        stop?.();
        const { source } = viewport;
        stop = source instanceof ViewSource ? source.watch(() => viewport.refresh()) : null;
        // After the new source has come everywhere: a volume that nobody shows is given back.
        window.setTimeout(() => this.release(), 0);
      });
    });
  }

  /** The view of the active viewport, where it is one. */
  get active(): ViewSource | null {
    const source = this.app.stage.active?.source;
    return source instanceof ViewSource ? source : null;
  }

  /** One view in the active viewport. */
  async show(name: ViewName): Promise<void> {
    const viewport = this.app.stage.active;
    const volume = await this.make(viewport);
    if (volume) this.put(viewport, volume, name, middleOf(viewport));
  }

  /** The three views side by side, with the series itself in the first place. */
  async showAll(): Promise<void> {
    const { stage } = this.app;
    const from = stage.active;
    const volume = await this.make(from);
    if (!volume) return;
    const point = middleOf(from);
    const voi = from.state.voi?.rescale ? null : from.state.voi; // slabs have the object's values
    stage.setGrid({ rows: 2, columns: 2 });
    const [first, ...others] = stage.viewports;
    if (first && first.source !== volume.source && first !== from) {
      first.show(volume.source, { index: volume.source.count >> 1, voi });
    } else if (first && first === from && first.source instanceof ViewSource) {
      first.show(volume.source, { index: volume.source.count >> 1, voi });
    }
    VIEW_NAMES.forEach((name, i) => {
      const viewport = others[i];
      if (viewport) this.put(viewport, volume, name, point, voi);
    });
    if (first) stage.activate(first);
  }

  /** Back to the series as it was taken. */
  leave(): void {
    const view = this.active;
    if (!view) return;
    this.app.stage.active.show(view.volume.source, {
      index: view.volume.source.count >> 1,
      voi: this.app.stage.active.state.voi,
    });
  }

  setSlab(thickness: number, blend: Blend): void {
    const view = this.active;
    if (!view) return;
    view.setSlab(thickness, blend);
    this.app.stage.active.refresh();
  }

  private async make(viewport: Viewport): Promise<Volume | null> {
    const shown = viewport.source;
    if (!shown) return null;
    if (shown instanceof ViewSource) return shown.volume;
    if (this.volume?.source === shown) return this.volume;
    notify(this.app, t("volume.begins"));
    try {
      const made = await Volume.of(shown);
      this.volume?.stop();
      this.volume = made;
      const { skip, shear, spacing } = made.stack;
      const said = [
        skip > 1 ? t("volume.skip", { skip, mm: number(spacing[2], 1) }) : "",
        shear[0] || shear[1] ? t("volume.tilt") : "",
      ].filter(Boolean);
      notify(this.app, said.length ? said.join(" ") : t("volume.ready"));
      return made;
    } catch (error) {
      const why = error instanceof VolumeError ? error.refusal : "geometry";
      notify(this.app, t(`volume.${why}`));
      return null;
    }
  }

  private put(
    viewport: Viewport,
    volume: Volume,
    name: ViewName,
    point: Vec3 | null,
    voi = viewport.state.voi,
  ): void {
    const view = viewsOf(volume.stack).find((each) => each.name === name)!;
    const source = new ViewSource(volume, view);
    const planes = source.planes();
    const here = planes[0];
    const found = point && here ? nearestFrame(planes, here, point, 0) : null;
    viewport.show(source, { index: found?.index ?? view.count >> 1, voi });
  }

  private release(): void {
    const { volume } = this;
    if (!volume) return;
    const isUsed = this.app.stage.viewports.some(
      (each) => each.source instanceof ViewSource && each.source.volume === volume,
    );
    if (isUsed) return;
    volume.stop();
    this.volume = null;
  }
}

/** What is in the middle of the picture now. */
function middleOf({ picture }: Viewport): Vec3 | null {
  const plane = picture?.info.plane;
  if (!picture || !plane) return null;
  return toPatient(plane, picture.columns / 2, picture.rows / 2);
}
