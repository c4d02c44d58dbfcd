/** Angiograms with their masks subtracted, as the object says or against its first frame. */
import type { App } from "../app.ts";
import { Subset } from "../data/subset.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { contradictionsOf, firstFrame, masksOf } from "../dicom/mask.ts";
import { notify } from "../ui/notice.ts";
import { DifferenceSource, type MaskRule } from "../volume/difference.ts";
import { t } from "../words.ts";

/** What masks are taken: those that the object names, or by a person's choice the first frame. */
export type Masks = "own" | "first";

const RULES: Record<Masks, MaskRule> = { own: masksOf, first: firstFrame };
/** Frames of a film from one place, through which a contrast medium flows. */
const FILMS = new Set(["XA", "RF"]);

export class Subtraction {
  private readonly app: App;

  constructor(app: App) {
    this.app = app;
  }

  /** Which masks are subtracted in the active viewport. */
  get now(): Masks | null {
    const source = this.shown;
    if (!source) return null;
    return source.rule === masksOf ? "own" : "first";
  }

  /** Own masks where the object names one for any of its frames; the first of a film's frames. */
  can(masks: Masks): boolean {
    if (this.now === masks) return true;
    const { source = null, shown = null } = this.app.stage.active ?? {};
    if (source instanceof Subset) return false; // the mask may not be among the chosen
    const info = shown?.info;
    if (info?.samples !== 1 || info.palette || !FILMS.has(info.modality)) return false;
    const last = { ...info, number: 2 };
    if (masks === "first") return firstFrame(last) !== null;
    return this.hasOwn(info, source?.count ?? 0) || this.contradictions.length > 0;
  }

  private hasOwn(info: FrameInfo, count: number): boolean {
    return Array.from({ length: count }, (_, i) => i + 1).some(
      (number) => masksOf({ ...info, number }) !== null,
    );
  }

  /** What the object says of its masks and cannot be done, in the standard's words. */
  private get contradictions(): string[] {
    const { shown = null } = this.app.stage.active ?? {};
    return shown ? contradictionsOf(shown.info) : [];
  }

  async toggle(masks: Masks): Promise<void> {
    const viewport = this.app.stage.active;
    const { source } = viewport;
    if (!source) return;
    const shown = this.shown;
    const own = shown?.source ?? source;
    const names = masks === "own" && !shown ? this.contradictions : [];
    if (names.length) {
      notify(this.app, t("subtract.not", { names: names.join("; ") }));
      if (!this.hasOwn(viewport.shown!.info, source.count)) return;
    }
    const next = this.now === masks ? own : await DifferenceSource.of(own, RULES[masks]);
    if (viewport.source !== source) return; // another one was opened meanwhile
    const play = this.app.commands.get("play");
    const wasPlaying = play?.isOn?.(this.app);
    viewport.show(next, { ...viewport.state, voi: null });
    if (wasPlaying) return;
    // A film that is opened runs at once; one that was stopped at a frame stays there.
    await next.picture(0).catch(() => undefined); // the viewport says what is wrong
    await new Promise((done) => setTimeout(done));
    if (viewport === this.app.stage.active && play?.isOn?.(this.app)) play.run(this.app);
  }

  private get shown(): DifferenceSource | null {
    const source = this.app.stage.active?.source;
    return source instanceof DifferenceSource ? source : null;
  }
}
