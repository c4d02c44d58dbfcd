/** What every part of the page shares, and the state that it draws. */
import { Commands } from "./commands.ts";
import type { Disc } from "./data/disc.ts";
import type { PresentationState } from "./dicom/presentation.ts";
import { Shelves } from "./shelves.ts";
import { Store } from "./store.ts";
import type { Point } from "./view/matrix.ts";
import type { Hands } from "./view/pointer.ts";
import { attachPointer } from "./view/pointer.ts";
import { Stage } from "./view/stage.ts";
import type { ViewState } from "./view/state.ts";
import type { Tool, ToolId } from "./view/tools.ts";
import type { Viewport } from "./view/viewport.ts";

export interface AppState {
  /** Study shown in the list of series: index into `disc.places`' studies by uid. */
  study: string;
  /** Tools of the left, middle and right button. */
  tools: readonly [ToolId, ToolId, ToolId];
  /** Panel beside the pictures, or "" for none. */
  panel: string;
  /** Whom the page serves: the way a patient likes it, or a physician. */
  audience: "patient" | "physician";
}

/** Places on the page that parts fill; all are there from the start. */
export interface Slots {
  top: HTMLElement;
  list: HTMLElement;
  stage: HTMLElement;
  panel: HTMLElement;
  bottom: HTMLElement;
  /** Dialogs and messages, over everything. */
  over: HTMLElement;
}

export class App {
  readonly disc: Disc;
  readonly slots: Slots;
  readonly stage: Stage;
  readonly commands = new Commands();
  readonly store: Store<AppState>;
  /** What lies on the picture under a press goes before the tool: measurements. */
  grab: ((viewport: Viewport, at: Point, event: { pointerType?: string }) => Tool | null) | null =
    null;
  /** Show a picture as a presentation state wants it; null: as it was recorded. */
  wear: ((viewport: Viewport, state: PresentationState | null) => void) | null = null;
  /** Of a picture, at a point of the viewport. */
  openMenu: ((viewport: Viewport, at: Point) => void) | null = null;
  /** The mouse moves over a picture without a button. */
  readonly hovers: ((viewport: Viewport, at: Point) => void)[] = [];
  /** Studies from folders that a person picked. */
  readonly shelves = new Shelves();
  private readonly tools = new Map<ToolId, Tool>();

  constructor(disc: Disc, slots: Slots) {
    this.disc = disc;
    this.slots = slots;
    this.stage = new Stage(slots.stage);
    this.store = new Store<AppState>({
      study: "",
      tools: ["scroll", "pan", "window"],
      panel: "",
      audience: "patient",
    });
    const hands: Hands = {
      toolFor: (button, event, viewport, at) => {
        const found = button === 0 ? this.grab?.(viewport, at, event) : null;
        return found ?? this.toolFor(button, event);
      },
      hover: (viewport, at, event) => {
        this.toolFor(0, event)?.hover?.(viewport, at, event);
        for (const each of this.hovers) each(viewport, at);
      },
      menu: (viewport, at) => this.openMenu?.(viewport, at),
      activate: (viewport) => this.stage.activate(viewport),
    };
    this.stage.each((viewport) => attachPointer(viewport, hands));
  }

  addTools(...tools: Tool[]): void {
    for (const tool of tools) this.tools.set(tool.id, tool);
  }

  toolFor(button: number, event: { shiftKey: boolean }): Tool | null {
    const id = this.store.get().tools[button as 0 | 1 | 2] ?? "";
    // Shift and the left button zoom, whatever the tool: one hand on a laptop has one button.
    return this.tools.get(button === 0 && event.shiftKey ? "zoom" : id) ?? null;
  }

  chooseTool(id: ToolId): void {
    const [, middle, right] = this.store.get().tools;
    this.store.set({ tools: [id, middle, right] });
  }

  /** Show a series of the medium in a viewport, the active one unless it is named. */
  async open(
    n: number,
    viewport: Viewport = this.stage.active,
    state: Partial<ViewState> = {},
  ): Promise<void> {
    const place = this.disc.place(n);
    if (place) this.store.set({ study: place.study.uid });
    const other = this.shelves.find(n);
    const series = other ? await other.shelf.source(other.entry) : await this.disc.series(n);
    viewport.show(series.count ? series : null, state);
    this.stage.activate(viewport);
  }
}
