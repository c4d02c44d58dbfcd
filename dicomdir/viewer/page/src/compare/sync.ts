/** Viewports that follow the one in which somebody scrolls, zooms, pans or windows. */
import type { Source } from "../data/source.ts";
import { type Plane, sharesSpace, toImage, toPatient } from "../dicom/geometry.ts";
import type { Stage } from "../view/stage.ts";
import type { ViewState } from "../view/state.ts";
import type { Viewport } from "../view/viewport.ts";
import { catalogueOf, readCatalogue } from "./catalogue.ts";
import { isParallel, middleOf, nearestFrame } from "./planes.ts";

export interface SyncState {
  /** By place in the patient; or by as many images, whatever they show; or not at all. */
  scroll: "place" | "offset" | "off";
  /** Zoom and pan. */
  view: boolean;
  /** Window, between pictures of one modality and unit. */
  window: boolean;
}

export const SYNC: SyncState = { scroll: "place", view: true, window: false };

export class Sync {
  private readonly stage: Stage;
  private readonly read: () => SyncState;
  private isFollowing = false;

  constructor(stage: Stage, read: () => SyncState) {
    this.stage = stage;
    this.read = read;
    stage.each((viewport) =>
      viewport.on((leader, change, before) => {
        if (change === "state") this.lead(leader, before);
        if (change === "source" && leader.source) this.prepare(leader.source);
      }),
    );
  }

  /** Bring all others to where this viewport is now. */
  align(leader: Viewport): void {
    for (const each of this.others(leader)) this.byPlace(leader, each);
  }

  /** While we set a follower, it does not lead. */
  quietly(run: () => void): void {
    if (this.isFollowing) return;
    this.isFollowing = true;
    try {
      run();
    } finally {
      this.isFollowing = false;
    }
  }

  private lead(leader: Viewport, before: ViewState): void {
    if (this.isFollowing || !leader.source) return;
    const { state } = leader;
    const how = this.read();
    const moved = state.index - before.index;
    const isViewed = state.scale !== before.scale || state.centre !== before.centre;
    this.quietly(() => {
      for (const each of this.others(leader)) {
        if (moved && how.scroll === "offset") each.update({ index: each.state.index + moved });
        if (moved && how.scroll === "place") this.byPlace(leader, each);
        if (isViewed && how.view) followView(leader, each);
        if (state.voi !== before.voi && how.window) followWindow(leader, each);
      }
    });
  }

  private others(leader: Viewport): Viewport[] {
    return this.stage.viewports.filter((each) => each !== leader && each.source !== null);
  }

  private byPlace(leader: Viewport, follower: Viewport): void {
    const plane = planeAt(leader.source!, leader.state.index);
    const all = catalogueOf(follower.source!);
    const info = leader.source!.info(leader.state.index);
    if (!plane || !all || !info) return;
    const point = middleOf(plane, info.rows, info.columns);
    const here = all.planes[follower.state.index];
    if (!here || !sharesSpace(here, plane) || !isParallel(here, plane)) return;
    const found = nearestFrame(all.planes, plane, point, follower.state.index);
    // Beyond the ends of the other series nothing follows: its last image would seem to be there.
    if (found && found.off <= Math.max(all.step, 1) * 1.5) follower.update({ index: found.index });
  }

  private prepare(source: Source): void {
    void readCatalogue(source).catch(() => undefined); // the viewport tells what fails
  }
}

function planeAt(source: Source, index: number): Plane | null {
  return source.info(index)?.plane ?? null;
}

/** The same place in the middle and the same millimetres to a pixel of the screen. */
function followView(leader: Viewport, follower: Viewport): void {
  const [a, b] = [leader.plane, follower.plane];
  const { state } = leader;
  if (a && b && sharesSpace(a, b) && isParallel(a, b)) {
    if (state.scale === null && state.centre === null) {
      follower.update({ scale: null, centre: null });
      return;
    }
    const point = toPatient(a, leader.centre.x, leader.centre.y);
    const { x, y } = toImage(b, point);
    const scale = (leader.scale * b.spacing[0]) / a.spacing[0];
    follower.update({ scale, centre: { x, y } });
    return;
  }
  // Projections (mammograms of both sides): as far into the picture, by as much.
  const [from, to] = [leader.extent, follower.extent];
  if (a || b || !from || !to || leader.source?.modality !== follower.source?.modality) return;
  if (state.scale === null) follower.update({ scale: null, centre: null });
  else follower.update({ scale: (state.scale * from.columns) / to.columns });
}

function followWindow(leader: Viewport, follower: Viewport): void {
  const [a, b] = [leader.shown, follower.shown];
  if (!a || !b || leader.source?.modality !== follower.source?.modality) return;
  if (a.kind !== b.kind || a.info.rescale.unit !== b.info.rescale.unit) return;
  if (leader.state.voi?.rescale || leader.state.voi?.tone) return; // on values that the other picture does not have
  follower.update({ voi: leader.state.voi });
}
