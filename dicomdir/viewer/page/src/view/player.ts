/** Loops at their recorded speed: late frames are left out, frames that are not there waited for. */
import type { Viewport } from "./viewport.ts";

export type Turn = "loop" | "sweep";

/** The index `steps` on, and the direction then. */
export function advance(
  index: number,
  direction: 1 | -1,
  steps: number,
  count: number,
  turn: Turn,
): { index: number; direction: 1 | -1 } {
  if (count < 2) return { index: 0, direction };
  if (turn === "loop") {
    return { index: (((index + direction * steps) % count) + count) % count, direction };
  }
  // Unrolled, a sweep is a loop of all frames there and back.
  const round = 2 * (count - 1);
  const now = direction === 1 ? index : round - index;
  const then = (((now + steps) % round) + round) % round;
  return then <= count - 1
    ? { index: then, direction: then === count - 1 ? -1 : 1 }
    : { index: round - then, direction: -1 };
}

export class Player {
  /** Milliseconds a frame. */
  pace: number;
  turn: Turn = "loop";
  /** Images a second that were shown in the last second. */
  shown = 0;
  private readonly viewport: Viewport;
  private readonly told: () => void;
  private direction: 1 | -1 = 1;
  private due = 0;
  private handle = 0;
  private counted = { since: 0, frames: 0 };

  constructor(viewport: Viewport, pace: number, told: () => void) {
    this.viewport = viewport;
    this.pace = pace;
    this.told = told;
  }

  get isPlaying(): boolean {
    return this.handle !== 0;
  }

  start(): void {
    if (this.isPlaying || !this.viewport.source) return;
    this.due = performance.now() + this.pace;
    this.counted = { since: performance.now(), frames: 0 };
    this.handle = requestAnimationFrame((now) => this.tick(now));
    this.told();
  }

  stop(): void {
    cancelAnimationFrame(this.handle);
    this.handle = 0;
    this.shown = 0;
    this.told();
  }

  private tick(now: number): void {
    const { source, state } = this.viewport;
    if (!source || source.count < 2) {
      this.stop();
      return;
    }
    this.handle = requestAnimationFrame((next) => this.tick(next));
    // Half a picture of the screen early is nearer than half a one late.
    if (now < this.due - 8) return;
    const steps = 1 + Math.max(0, Math.floor((now - this.due) / this.pace));
    const far = advance(state.index, this.direction, steps, source.count, this.turn);
    const near = advance(state.index, this.direction, 1, source.count, this.turn);
    const next = source.peek(far.index) ? far : near;
    if (!source.peek(next.index)) {
      // A frame that cannot be shown does not stop the loop.
      void source.picture(next.index).catch(() => this.skip(next.index));
      this.due = now;
      return;
    }
    this.direction = next.direction;
    this.due = Math.max(this.due + steps * this.pace, now - this.pace);
    this.viewport.update({ index: next.index });
    this.count(now);
  }

  private skip(index: number): void {
    if (this.isPlaying) this.viewport.update({ index });
  }

  private count(now: number): void {
    this.counted.frames++;
    const passed = now - this.counted.since;
    if (passed < 1000) return;
    this.shown = (this.counted.frames * 1000) / passed;
    this.counted = { since: now, frames: 0 };
    this.told();
  }
}
