/** What keys do to the active picture. */
import type { App } from "../app.ts";
import type { Command } from "../commands.ts";
import type { Viewport } from "./viewport.ts";

const STEP_FAR = 10;

function image(
  id: string,
  keys: string[],
  run: (viewport: Viewport) => void,
  more: Partial<Command> = {},
): Command {
  return {
    id,
    group: "image",
    keys,
    run: (app) => run(app.stage.active),
    isEnabled: (app) => app.stage.active?.source != null,
    ...more,
  };
}

export const imageCommands: Command[] = [
  image("next", ["ArrowDown", "ArrowRight"], (vp) => vp.scrollBy(1)),
  image("previous", ["ArrowUp", "ArrowLeft"], (vp) => vp.scrollBy(-1)),
  image("next-far", ["PageDown"], (vp) => vp.scrollBy(STEP_FAR)),
  image("previous-far", ["PageUp"], (vp) => vp.scrollBy(-STEP_FAR)),
  image("first", ["Home"], (vp) => vp.update({ index: 0 })),
  image("last", ["End"], (vp) => vp.update({ index: Infinity })),
  image("zoom-in", ["+", "="], (vp) => vp.zoomBy(1.25)),
  image("zoom-out", ["-"], (vp) => vp.zoomBy(0.8)),
  image("fit", ["0", "f"], (vp) => vp.fit()),
  image("one-to-one", ["o"], (vp) => vp.oneToOne()),
  image("rotate", ["r"], (vp) => vp.rotateBy(90)),
  image("rotate-back", ["Shift+r"], (vp) => vp.rotateBy(270)),
  image("flip-horizontal", ["h"], (vp) => vp.flipBy("horizontal")),
  image("flip-vertical", ["v"], (vp) => vp.flipBy("vertical")),
  image("invert", ["i"], (vp) => vp.update({ invert: !vp.state.invert }), {
    isOn: (app) => app.stage.active.state.invert,
  }),
  image("smooth", ["s"], (vp) => vp.update({ smooth: !vp.state.smooth }), {
    isOn: (app) => app.stage.active.state.smooth,
  }),
  image("reset", ["Backspace"], (vp) => vp.reset()),
];

/** A command that puts a tool on the left button. */
export function toolCommand(id: string, keys: string[], icon: string): Command {
  return {
    id: `tool-${id}`,
    group: "tool",
    keys,
    icon,
    run: (app: App) => app.chooseTool(id),
    isOn: (app: App) => app.store.get().tools[0] === id,
  };
}
