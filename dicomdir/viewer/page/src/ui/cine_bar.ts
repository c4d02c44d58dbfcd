/** Below the pictures: where in the series one is, how much of it is loaded, and the loop. */
import type { App } from "../app.ts";
import type { Command } from "../commands.ts";
import { paceOf } from "../dicom/pace.ts";
import { number } from "../measure/labels.ts";
import { Player, type Turn } from "../view/player.ts";
import type { Viewport } from "../view/viewport.ts";
import { onLanguage, t } from "../words.ts";
import { el } from "./dom.ts";
import { icon } from "./icons.ts";

/** Of stacks that were not recorded as a loop. */
const STACK_MS = 1000 / 12;
const LEAST_FPS = 1;
const MOST_FPS = 60;
const LOOPS = new Set(["US", "XA", "RF", "IVUS", "IVOCT", "ES", "XC", "NM"]);

export class CineBar {
  private readonly app: App;
  private readonly players = new Map<Viewport, Player>();
  private readonly bar = el("div", { id: "cine", role: "group" });
  private readonly play = el("button", { type: "button", class: "tool" });
  private readonly slider = el("input", { type: "range", min: "1", value: "1", class: "position" });
  private readonly place = el("span", { class: "place" });
  private readonly speed = el("input", { type: "range", class: "speed" });
  private readonly rate = el("span", { class: "rate" });
  private readonly turn = el("button", { type: "button", class: "turn" });
  private readonly loaded = el("span", { class: "loaded", role: "status" });
  private stopWatch: (() => void) | null = null;
  private isDue = false;

  constructor(app: App) {
    this.app = app;
    this.speed.min = String(LEAST_FPS);
    this.speed.max = String(MOST_FPS);
    const { bar, play, slider, place, speed, rate, turn, loaded } = this;
    bar.append(play, slider, place, turn, speed, rate, loaded);
    app.slots.bottom.append(bar);
    play.addEventListener("click", () => this.toggle());
    slider.addEventListener("input", () => {
      app.stage.active.update({ index: Number(slider.value) - 1 });
    });
    speed.addEventListener("input", () => this.setSpeed(Number(speed.value)));
    turn.addEventListener("click", () => this.turnAround());
    app.stage.on(() => this.watch());
    app.stage.each((viewport) =>
      viewport.on((_, change) => {
        if (change === "source") {
          this.players.get(viewport)?.stop();
          this.players.delete(viewport);
          if (viewport === app.stage.active) this.watch();
          void this.startLoop(viewport);
        }
        this.later();
      }),
    );
    onLanguage(() => this.draw());
    this.draw();
  }

  commands(): Command[] {
    const isEnabled = () => (this.app.stage.active?.source?.count ?? 0) > 1;
    const cine = (id: string, keys: string[], run: () => void): Command => ({
      id,
      group: "cine",
      keys,
      run,
      isEnabled,
    });
    return [
      { ...cine("play", [" "], () => this.toggle()), isOn: () => this.player().isPlaying },
      cine("faster", ["."], () => this.setSpeed(Math.ceil(1000 / this.player().pace + 1))),
      cine("slower", [","], () => this.setSpeed(Math.floor(1000 / this.player().pace - 1))),
      cine("loop-or-sweep", ["Shift+l"], () => this.turnAround()),
    ];
  }

  /** Loops that were recorded as such run at once, as on the device. */
  private async startLoop(viewport: Viewport): Promise<void> {
    const { source } = viewport;
    if (!source || source.count < 2 || !LOOPS.has(source.modality)) return;
    await source.picture(0).catch(() => undefined); // the viewport says what is wrong
    if (viewport.source !== source || !this.recorded(viewport)) return;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.player(viewport).start();
  }

  private recorded(viewport: Viewport): number | null {
    const info = viewport.shown?.info ?? viewport.source?.info(viewport.state.index);
    return info ? paceOf(info.attributes, viewport.source!.count) : null;
  }

  private player(viewport = this.app.stage.active): Player {
    let made = this.players.get(viewport);
    if (!made) {
      made = new Player(viewport, this.recorded(viewport) ?? STACK_MS, () => this.later());
      this.players.set(viewport, made);
    }
    return made;
  }

  private toggle(): void {
    const player = this.player();
    if (player.isPlaying) player.stop();
    else player.start();
  }

  private setSpeed(fps: number): void {
    this.player().pace = 1000 / Math.max(LEAST_FPS, Math.min(MOST_FPS, fps));
    this.later();
  }

  private turnAround(): void {
    const player = this.player();
    const next: Record<Turn, Turn> = { loop: "sweep", sweep: "loop" };
    player.turn = next[player.turn];
    this.later();
  }

  private watch(): void {
    this.stopWatch?.();
    this.stopWatch = this.app.stage.active?.source?.watch(() => this.later()) ?? null;
    for (const [viewport, player] of this.players) {
      if (this.app.stage.viewports.includes(viewport)) continue;
      player.stop();
      this.players.delete(viewport);
    }
    this.later();
  }

  private later(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.isDue = false;
    const { source, state } = this.app.stage.active ?? {};
    const count = source?.count ?? 0;
    this.bar.hidden = count < 2;
    if (!source || !state || count < 2) return;
    const player = this.players.get(this.app.stage.active);
    const isPlaying = player?.isPlaying === true;
    this.bar.setAttribute("aria-label", t("cine.label"));
    label(this.play, t(isPlaying ? "cine.pause" : "command.play"));
    if (this.play.dataset["icon"] !== String(isPlaying)) {
      this.play.dataset["icon"] = String(isPlaying);
      this.play.replaceChildren(icon(isPlaying ? "pause" : "play"));
    }
    this.slider.max = String(count);
    this.slider.value = String(state.index + 1);
    this.slider.setAttribute("aria-label", t("cine.position"));
    this.place.textContent = `${state.index + 1} / ${count}`;
    const fps = 1000 / (player?.pace ?? this.recorded(this.app.stage.active) ?? STACK_MS);
    this.speed.value = String(Math.round(fps));
    this.speed.setAttribute("aria-label", t("cine.speed"));
    this.rate.textContent = t(isPlaying && player!.shown ? "cine.rate-shown" : "cine.rate", {
      fps: number(fps, fps % 1 > 0.05 && fps % 1 < 0.95 ? 1 : 0),
      shown: number(player?.shown ?? 0, 0),
    });
    this.turn.textContent = t(`cine.${player?.turn ?? "loop"}`);
    label(this.turn, t("command.loop-or-sweep"));
    this.drawLoaded(source.progress());
  }

  private drawLoaded({ ready, failed, total }: { ready: number; failed: number; total: number }) {
    const isDone = ready + failed >= total;
    this.loaded.textContent = failed
      ? t("cine.failed", { count: failed })
      : isDone
        ? ""
        : t("cine.loaded", { ready, total });
    this.slider.style.setProperty("--loaded", `${(100 * ready) / Math.max(1, total)}%`);
  }
}

function label(element: HTMLElement, text: string): void {
  element.title = text;
  element.setAttribute("aria-label", text);
}
