/** What stands in the menus of the bar and of a picture. */
import type { Command } from "../commands.ts";
import { hintOf, keyName } from "../ui/keys.ts";
import type { MenuGroups, MenuItem } from "../ui/menu.ts";
import type { Viewport } from "../view/viewport.ts";
import { windowsFor } from "../view/windows.ts";
import { t } from "../words.ts";
import type { Bench } from "./bench.ts";
import { GRIDS } from "./commands.ts";
import { BLENDS, THICKNESSES } from "./volumes.ts";

export type MenuId = "layout" | "windows" | "picture" | "compare" | "volume" | "states" | "more";

export async function menusOf(bench: Bench, id: MenuId): Promise<MenuGroups> {
  if (id === "states") return stateMenu(bench, bench.app.stage.active);
  return MENUS[id](bench);
}

const MENUS: Record<Exclude<MenuId, "states">, (bench: Bench) => MenuGroups> = {
  layout: (bench) => [
    GRIDS.map(({ rows, columns }) => item(bench, `layout-${rows}x${columns}`)),
    items(bench, "enlarge", "hang-mammograms"),
    items(bench, "next-series", "previous-series"),
  ],
  windows: windowMenu,
  picture: (bench) => [
    items(bench, "invert", "rotate", "rotate-back", "flip-horizontal", "flip-vertical"),
    items(bench, "fit", "one-to-one", "zoom-in", "zoom-out", "smooth"),
    items(bench, "subtract", "subtract-first"),
    items(bench, "reset"),
  ],
  compare: (bench) => [
    items(bench, "sync-place", "sync-offset", "sync-view", "sync-window"),
    items(bench, "lines", "tool-cursor"),
  ],
  volume: volumeMenu,
  more: (bench) => [
    items(bench, "texts", "graphics"),
    items(bench, "key-images", "states"),
    items(bench, "edit-text", "delete", "delete-all", "key-pointer"),
    items(bench, "print", "save", "full-screen", "keys"),
  ],
};

/** Of a picture: what is wanted most, then windows and states. */
export async function pictureMenu(bench: Bench, viewport: Viewport): Promise<MenuGroups> {
  const states = await bench.marked.statesFor(viewport).catch(() => []);
  return [
    items(bench, ...(bench.measurements.selected ? ["edit-text", "delete"] : [])),
    [...windowMenu(bench)[0]!].slice(0, 6),
    items(bench, "fit", "one-to-one", "invert", "rotate", "flip-horizontal", "reset"),
    states.length ? items(bench, "states") : [],
    items(bench, "enlarge", "mpr", "save", "keys"),
  ];
}

function windowMenu(bench: Bench): MenuGroups {
  const viewport = bench.app.stage.active;
  const chosen = viewport.state.voi;
  const noSuv = viewport.shown?.info.noSuv;
  const none = noSuv ? t("suv.none", { why: t(`suv.${noSuv}`) }) : "";
  return [
    windowsFor(viewport).map(({ name, voi }, i) => ({
      label: name,
      hint: i < 9 ? keyName(String(i + 1)) : "",
      isOn: voi === chosen,
      run: () => viewport.update({ voi }),
    })),
    items(bench, "invert"),
    none ? [{ label: none, isDisabled: true, run: () => undefined }] : [],
  ];
}

function volumeMenu(bench: Bench): MenuGroups {
  const { volumes } = bench;
  const view = volumes.active;
  const slabs: MenuItem[][] = view
    ? [
        [slab(bench, 0, "max", t("slab.none"))],
        ...BLENDS.map((blend) =>
          (blend === "max" ? THICKNESSES : THICKNESSES.slice(1, 2)).map((mm) =>
            slab(bench, mm, blend, t(`slab.${blend}`, { mm })),
          ),
        ),
        [slab(bench, 10_000, "max", t("slab.whole"))],
      ]
    : [];
  return [
    items(bench, "mpr", "view-axial", "view-coronal", "view-sagittal", "leave-volume"),
    ...slabs,
  ];
}

function slab(bench: Bench, mm: number, blend: "max" | "min" | "mean", label: string): MenuItem {
  const view = bench.volumes.active;
  return {
    label,
    isOn: view?.thickness === mm && (mm === 0 || view.blend === blend),
    run: () => bench.volumes.setSlab(mm, blend),
  };
}

async function stateMenu(bench: Bench, viewport: Viewport): Promise<MenuGroups> {
  const states = await bench.marked.statesFor(viewport).catch(() => []);
  const now = bench.marked.wears(viewport);
  const none: MenuItem = {
    label: t(states.length ? "states.off" : "states.none"),
    isOn: now === null,
    isDisabled: !states.length,
    run: () => bench.marked.takeOff(viewport),
  };
  return [
    [none],
    states.map(({ name, state }) => ({
      label: name,
      isOn: state.uid === now?.uid,
      run: () => bench.marked.putOn(viewport, state),
    })),
  ];
}

function items(bench: Bench, ...ids: string[]): MenuItem[] {
  return ids.map((id) => item(bench, id));
}

function item({ app }: Bench, id: string): MenuItem {
  const command = app.commands.get(id) as Command;
  const made: MenuItem = {
    label: t(`command.${id}`),
    hint: hintOf(command),
    isDisabled: command.isEnabled?.(app) === false,
    run: () => app.commands.run(id, app),
  };
  if (command.isOn) made.isOn = command.isOn(app);
  return made;
}
