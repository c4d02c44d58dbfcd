/** What others marked: key images, to go through alone, and presentation states, put on when asked. */
import type { App } from "../app.ts";
import type { SeriesEntry, StudyEntry } from "../data/format.ts";
import type { SeriesData } from "../data/series.ts";
import type { Source } from "../data/source.ts";
import { type Chosen, Subset } from "../data/subset.ts";
import { type KeyReference, readKeyObject } from "../dicom/key_object.ts";
import { leftOutOn, type PresentationState, readPresentationState } from "../dicom/presentation.ts";
import { type ImageReference, speaksOf } from "../dicom/reference.ts";
import { notify } from "../ui/notice.ts";
import { countOf, missingText } from "../ui/references.ts";
import { saidOf, stateLayer, viewStateOf } from "../view/apply_state.ts";
import { INITIAL } from "../view/state.ts";
import type { Viewport } from "../view/viewport.ts";
import { t } from "../words.ts";

export interface NamedState {
  name: string;
  state: PresentationState;
}

interface Worn {
  state: PresentationState;
  /** What it said of the image that it was last applied to; null: that image is none of its own. */
  said: unknown[] | null;
  off: () => void;
}

export class Marked {
  private readonly app: App;
  private readonly states = new Map<string, Promise<NamedState[]>>();
  private readonly worn = new Map<Viewport, Worn>();
  /** Where a viewport was before it showed key images. */
  private readonly left = new Map<Viewport, { source: Source; index: number }>();

  constructor(app: App) {
    this.app = app;
    app.wear = (viewport, state) => (state ? this.putOn(viewport, state) : this.takeOff(viewport));
    app.stage.each((viewport) =>
      viewport.on((_, change) => {
        if (change === "source") this.takeOff(viewport, false);
        if (change === "picture") this.follow(viewport);
      }),
    );
  }

  hasKeyImages(): boolean {
    return this.keySeries().length > 0;
  }

  get isShowing(): boolean {
    return this.app.stage.active?.source instanceof Subset;
  }

  /** Only the key images of the study, or the series as before. */
  async toggleKeyImages(n: number | null = null): Promise<void> {
    const viewport = this.app.stage.active;
    const before = this.left.get(viewport);
    if (viewport.source instanceof Subset && before && n === null) {
      this.left.delete(viewport);
      viewport.show(before.source, { index: before.index });
      return;
    }
    const all = n === null ? this.keySeries() : this.keySeries().filter((each) => each.n === n);
    const { chosen, texts, missing } = await this.keyImages(all);
    if (!chosen.length) {
      notify(this.app, t("marked.none"));
      return;
    }
    if (viewport.source && !(viewport.source instanceof Subset)) {
      this.left.set(viewport, { source: viewport.source, index: viewport.state.index });
    }
    viewport.show(new Subset(`key/${all.map((each) => each.n).join("+")}`, chosen));
    const shown = t("marked.shown", { count: chosen.length });
    notify(this.app, [shown, ...missing, ...texts].join(" "));
  }

  /** Presentation states that speak of the picture shown. */
  async statesFor(viewport: Viewport): Promise<NamedState[]> {
    const info = viewport.picture?.info;
    const study = this.study();
    if (!info || !study) return [];
    const all = await this.statesOf(study);
    return all.filter(({ state }) => speaksOf(state.references, info.uid, info.number));
  }

  /** The state that the picture shown is shown with. */
  wears(viewport: Viewport): PresentationState | null {
    const now = this.worn.get(viewport);
    return now?.said ? now.state : null;
  }

  putOn(viewport: Viewport, state: PresentationState): void {
    this.takeOff(viewport, false);
    this.worn.set(viewport, { state, said: null, off: viewport.addLayer(stateLayer(state)) });
    this.follow(viewport);
    const names = leftOutOn(state, viewport.shown).join(", ");
    if (names) notify(this.app, t("marked.left-out", { names }));
  }

  /** Another picture is shown: the state speaks of it, says something else of it, or is silent. */
  private follow(viewport: Viewport): void {
    const now = this.worn.get(viewport);
    const info = viewport.shown?.info;
    if (!now || !info) return;
    const said = saidOf(now.state, info);
    const isSame = said ? said.every((each, i) => each === now.said?.[i]) : !now.said;
    now.said = said;
    // What somebody turned or windowed since stays, as long as the state says the same.
    if (isSame) return;
    const { index } = viewport.state;
    viewport.update({ ...INITIAL, index, ...(said && viewStateOf(now.state, viewport)) });
  }

  /** @param isReset Bring back how the object itself is shown. */
  takeOff(viewport: Viewport, isReset = true): void {
    const now = this.worn.get(viewport);
    if (!now) return;
    now.off();
    this.worn.delete(viewport);
    if (isReset) viewport.reset();
  }

  private study(): StudyEntry | null {
    const { study } = this.app.store.get();
    return this.app.disc.places.find((each) => each.study.uid === study)?.study ?? null;
  }

  private keySeries(): SeriesEntry[] {
    return this.study()?.series.filter((each) => each.kind === "key") ?? [];
  }

  private async keyImages(all: SeriesEntry[]) {
    const study = this.study()!;
    const chosen: Chosen[] = [];
    const texts: string[] = [];
    const references: ImageReference[] = [];
    let missing = 0;
    for (const entry of all) {
      for (const ds of await this.datasets(entry)) {
        const key = readKeyObject(ds);
        texts.push([key.title, key.text].filter(Boolean).join(": "));
        for (const each of key.references) {
          const found = await this.framesOf(study, each);
          chosen.push(...found);
          references.push(each);
          missing += Math.max(0, countOf(each) - found.length);
        }
      }
    }
    const said = missing ? [missingText(missing, references)] : [];
    return { chosen, texts: texts.filter(Boolean), missing: said };
  }

  /** In its own study, else in any other of the medium. */
  private async framesOf(study: StudyEntry, named: KeyReference): Promise<Chosen[]> {
    const { uid, frames, series } = named;
    let found: [SeriesData, number] | null = null;
    for (const each of new Set([study, ...this.app.disc.places.map((place) => place.study)])) {
      found ??= await this.app.disc.find(uid, frames[0] ?? 1, each, series);
    }
    if (!found) return [];
    const [source] = found;
    const instance = source.meta.instances.find((each) => each.uid === uid)!;
    const wanted = frames.length
      ? frames
      : Array.from({ length: Math.max(1, instance.frames) }, (_, i) => i + 1);
    return wanted
      .map((frame) => source.indexOf(uid, frame))
      .filter((index) => index >= 0)
      .map((index) => ({ source, index }));
  }

  private statesOf(study: StudyEntry): Promise<NamedState[]> {
    let made = this.states.get(study.uid);
    if (!made) {
      made = this.readStates(study);
      this.states.set(study.uid, made);
    }
    return made;
  }

  private async readStates(study: StudyEntry): Promise<NamedState[]> {
    const out: NamedState[] = [];
    for (const entry of study.series.filter((each) => each.kind === "state")) {
      const all = await this.datasets(entry).catch(() => []); // said in the list of series
      for (const ds of all) {
        const state = readPresentationState(ds);
        const name = state.description || state.label || entry.description;
        out.push({ name: name || t("marked.state", { number: out.length + 1 }), state });
      }
    }
    return out;
  }

  /** Objects of a series that has no pixels. */
  private async datasets(entry: SeriesEntry) {
    const series: SeriesData = await this.app.disc.series(entry.n);
    return Promise.all(series.meta.instances.map((_, i) => series.headers.dataset(i)));
  }
}
