/** The reader's commands: tools, layouts, comparing, volumes, marked images, paper. */
import type { App } from "../app.ts";
import type { Command } from "../commands.ts";
import { ownerOf } from "../measure/model.ts";
import { printAll, savePng } from "../ui/export.ts";
import { showKeys } from "../ui/keys.ts";
import { toolCommand } from "../view/commands.ts";
import type { Grid } from "../view/stage.ts";
import { windowsFor } from "../view/windows.ts";
import type { Bench } from "./bench.ts";
import { VIEW_NAMES } from "./volumes.ts";

export const GRIDS: readonly Grid[] = [
  { rows: 1, columns: 1 },
  { rows: 1, columns: 2 },
  { rows: 2, columns: 1 },
  { rows: 2, columns: 2 },
  { rows: 2, columns: 3 },
];

/** Tools of the left button, with their keys. */
const TOOLS: readonly [string, string, string][] = [
  ["scroll", "q", "tool"],
  ["window", "w", "tool"],
  ["pan", "p", "tool"],
  ["zoom", "z", "tool"],
  ["magnify", "m", "tool"],
  ["length", "l", "measure"],
  ["angle", "a", "measure"],
  ["ellipse", "e", "measure"],
  ["rectangle", "b", "measure"],
  ["value", "x", "measure"],
  ["arrow", "t", "measure"],
  ["cursor", "c", "compare"],
];

const hasImage = (app: App) => app.stage.active?.source != null;

export function toolCommands(): Command[] {
  return TOOLS.map(([id, key, group]) => ({ ...toolCommand(id, [key], id), group }));
}

export function benchCommands(bench: Bench): Command[] {
  return [
    ...layoutCommands(bench),
    ...compareCommands(bench),
    ...windowCommands(),
    ...measureCommands(bench),
    ...volumeCommands(bench),
    ...pageCommands(bench),
  ];
}

function layoutCommands(bench: Bench): Command[] {
  const { app } = bench;
  const layouts = GRIDS.map((grid) => {
    const id = `layout-${grid.rows}x${grid.columns}`;
    return {
      id,
      group: "layout",
      keys: [] as string[],
      run: () => bench.setGrid(grid),
      isOn: () => app.stage.grid.rows === grid.rows && app.stage.grid.columns === grid.columns,
    };
  });
  return [
    ...layouts,
    { id: "layout", group: "layout", keys: ["g"], run: () => bench.openMenu("layout") },
    {
      id: "enlarge",
      group: "layout",
      keys: ["Enter"],
      run: () => bench.enlarge(),
      isOn: () => bench.isEnlarged,
      isEnabled: () => app.stage.viewports.length > 1,
    },
    {
      id: "next-viewport",
      group: "layout",
      keys: ["Tab"],
      run: () => bench.nextViewport(1),
      isEnabled: () => bench.canStep(1),
    },
    {
      id: "previous-viewport",
      group: "layout",
      keys: ["Shift+Tab"],
      run: () => bench.nextViewport(-1),
      isEnabled: () => bench.canStep(-1),
    },
    { id: "next-series", group: "layout", keys: ["n"], run: () => bench.nextSeries(1) },
    { id: "previous-series", group: "layout", keys: ["Shift+n"], run: () => bench.nextSeries(-1) },
    { id: "hang-mammograms", group: "layout", keys: ["Shift+h"], run: () => void bench.hang() },
  ];
}

function compareCommands(bench: Bench): Command[] {
  const { settings } = bench;
  const toggle = (id: string, keys: string[], key: "view" | "window" | "lines"): Command => ({
    id,
    group: "compare",
    keys,
    run: () => settings.set({ [key]: !settings.get()[key] }),
    isOn: () => settings.get()[key],
  });
  const scroll = (id: string, keys: string[], how: "place" | "offset"): Command => ({
    id,
    group: "compare",
    keys,
    run: () => settings.set({ scroll: settings.get().scroll === how ? "off" : how }),
    isOn: () => settings.get().scroll === how,
  });
  return [
    scroll("sync-place", ["y"], "place"),
    scroll("sync-offset", ["Shift+y"], "offset"),
    toggle("sync-view", ["Shift+z"], "view"),
    toggle("sync-window", ["Shift+w"], "window"),
    toggle("lines", ["j"], "lines"),
  ];
}

/** Keys 1 to 9 choose what the menu of windows has at that place. */
function windowCommands(): Command[] {
  const presets = Array.from(
    { length: 9 },
    (_, i): Command => ({
      id: `window-${i + 1}`,
      group: "image",
      keys: [String(i + 1)],
      run: ({ stage }) => {
        const chosen = windowsFor(stage.active)[i];
        if (chosen) stage.active.update({ voi: chosen.voi });
      },
      isEnabled: hasImage,
    }),
  );
  return presets;
}

function measureCommands(bench: Bench): Command[] {
  const { measurements, measureTools, app } = bench;
  const chosen = () => measurements.get(measurements.selected);
  return [
    {
      id: "delete",
      group: "measure",
      keys: ["Delete"],
      run: () => measurements.remove(measurements.selected),
      isEnabled: () => measurements.selected !== 0,
    },
    {
      id: "delete-all",
      group: "measure",
      keys: ["Shift+Delete"],
      run: ({ stage }) => {
        if (stage.active.picture) measurements.removeAll(ownerOf(stage.active.picture));
      },
      isEnabled: () => measurements.of(app.stage.active?.picture ?? null).length > 0,
    },
    {
      id: "edit-text",
      group: "measure",
      keys: ["Shift+t"],
      run: () => measureTools.edit(measurements.selected),
      isEnabled: () => chosen()?.kind === "arrow",
    },
    {
      id: "next-measurement",
      group: "measure",
      keys: ["Shift+m"],
      run: () => bench.nextMeasurement(),
      isEnabled: () => measurements.of(app.stage.active?.picture ?? null).length > 0,
    },
    {
      id: "key-pointer",
      group: "measure",
      keys: ["Shift+Enter", "Insert"],
      run: () => bench.keyPointer.start(app.stage.active),
      isEnabled: hasImage,
    },
    { id: "escape", group: "page", keys: ["Escape"], run: () => bench.escape() },
  ];
}

function volumeCommands(bench: Bench): Command[] {
  const { volumes, marked, subtraction } = bench;
  return [
    { id: "volume", group: "volume", keys: ["u"], run: () => bench.openMenu("volume") },
    { id: "mpr", group: "volume", keys: ["Shift+u"], run: () => void volumes.showAll() },
    ...VIEW_NAMES.map((name) => ({
      id: `view-${name}`,
      group: "volume",
      keys: [] as string[],
      run: () => void volumes.show(name),
      isOn: () => volumes.active?.view.name === name,
      isEnabled: hasImage,
    })),
    {
      id: "leave-volume",
      group: "volume",
      keys: [],
      run: () => volumes.leave(),
      isEnabled: () => volumes.active !== null,
    },
    {
      id: "key-images",
      group: "image",
      keys: ["k"],
      run: () => void marked.toggleKeyImages(),
      isOn: () => marked.isShowing,
      isEnabled: () => marked.hasKeyImages() || marked.isShowing,
    },
    {
      id: "subtract",
      group: "image",
      keys: ["Shift+x"],
      run: () => void subtraction.toggle("own"),
      isOn: () => subtraction.now === "own",
      isEnabled: () => subtraction.can("own"),
    },
    {
      id: "subtract-first",
      group: "image",
      keys: [],
      run: () => void subtraction.toggle("first"),
      isOn: () => subtraction.now === "first",
      isEnabled: () => subtraction.can("first"),
    },
    { id: "states", group: "image", keys: ["Shift+p"], run: () => bench.openMenu("states") },
  ];
}

function pageCommands(bench: Bench): Command[] {
  const { settings, app } = bench;
  return [
    {
      id: "texts",
      group: "page",
      keys: ["d"],
      run: () => settings.set({ texts: !settings.get().texts }),
      isOn: () => settings.get().texts,
    },
    {
      id: "graphics",
      group: "page",
      keys: ["Shift+d"],
      run: () => settings.set({ graphics: !settings.get().graphics }),
      isOn: () => settings.get().graphics,
    },
    {
      id: "full-screen",
      group: "page",
      keys: ["Shift+f"],
      run: () => fullScreen(),
      isOn: () => document.fullscreenElement !== null,
    },
    {
      id: "print",
      group: "page",
      keys: ["Ctrl+p"],
      run: () => void printAll(app),
      isEnabled: hasImage,
    },
    { id: "save", group: "page", keys: ["Ctrl+s"], run: () => savePng(app), isEnabled: hasImage },
    {
      id: "image-menu",
      group: "page",
      keys: ["ContextMenu", "Shift+F10"],
      run: () => bench.pictureMenu(app.stage.active, app.stage.active.middle),
    },
    { id: "keys", group: "page", keys: ["?", "F1"], run: () => showKeys(app) },
  ];
}

function fullScreen(): void {
  const change = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen();
  change.catch(() => undefined); // the browser does not allow it: nothing is lost
}
