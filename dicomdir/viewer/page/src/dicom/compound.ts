/**
 * Compound graphics of presentation states (PS3.3 C.10.5.1.3), as the simple marks that they are.
 *
 * Where the state has simple objects in their place, as it should, those are drawn and not these.
 * What cannot be drawn for certain is not drawn: an arrow that points the wrong way is worse than none.
 */
import type { DataSet } from "./dataset.ts";
import { T } from "./tags.ts";

export type Pair = [number, number];

export interface Tick {
  /** Part of the way from the first point to the second. */
  at: number;
  label: string;
}

export interface Shape {
  kind: "line" | "circle" | "ellipse" | "infinite" | "cross" | "ruler" | "ends";
  points: Pair[];
  /** Of lines without end and crosses: diameters of a circle without and with lines, 0: none. */
  gap?: number;
  seen?: number;
  /** Where that circle lies. */
  middle?: Pair;
  /** Of cut lines: a point on the side that is looked from, as seen from the line. */
  from?: Pair;
  ticks?: Tick[];
  /** Ticks and labels: -1 above a line that runs to the right, 0 across it, 1 below. */
  tickSide?: number;
  labelSide?: number;
}

const SIDES: Record<string, number> = { TOP: -1, CENTER: 0, BOTTOM: 1 };
const MOST_TICKS = 500;

/**
 * @param points As the item's Graphic Data says.
 * @param isImage In pixels of the image; else parts of the displayed area.
 * @returns Null: this page does not draw it.
 */
export function shapeOf(item: DataSet, points: Pair[], isImage: boolean): Shape | null {
  const angle = item.number(T.RotationAngle) ?? 0;
  const around = item.numbers(T.RotationPoint);
  if (!Number.isFinite(angle) || points.some((each) => !each.every(Number.isFinite))) return null;
  // Parts of an area that is no square do not turn without being bent.
  if (angle && (!isImage || around.length < 2)) return null;
  const middle = around.length < 2 ? undefined : ([around[0], around[1]] as Pair);
  const turned = (all: Pair[]) => (angle ? all.map((each) => turn(each, angle, middle!)) : all);
  const [a, b] = points;
  if (!a) return null;
  const gap = item.number(T.GapLength) ?? 0;
  switch (item.string(T.CompoundGraphicType)) {
    case "RECTANGLE":
      return b ? { kind: "line", points: turned([a, [b[0], a[1]], b, [a[0], b[1]], a]) } : null;
    case "ELLIPSE": {
      if (!b) return null;
      const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      return {
        kind: "ellipse",
        points: turned([
          [a[0], y],
          [b[0], y],
          [x, a[1]],
          [x, b[1]],
        ]),
      };
    }
    case "POLYLINE": // a private type, as is the next
      return { kind: "line", points: turned(points) };
    case "POLYGON":
      return { kind: "line", points: turned([...points, a]) };
    case "CIRCLE":
      return b ? { kind: "circle", points: turned([a, b]) } : null;
    case "MULTILINE": // of more points it is not clear here which belong together
      return points.length === 2 ? { kind: "line", points: turned(points) } : null;
    case "ARROW": // nor which end the head is at
      return b ? { kind: "ends", points: turned([a, b]) } : null;
    case "CUTLINE":
    case "INFINITELINE": {
      if (!b) return null;
      const from = viewedFrom(item, a, b);
      return {
        kind: "infinite",
        points: turned([a, b]),
        gap,
        ...(middle && { middle }),
        ...(from && { from: turned([from])[0]! }),
      };
    }
    case "CROSSHAIR": {
      const seen = item.number(T.DiameterOfVisibility) ?? 0;
      const [x, y] = a;
      // Its two lines, turned as it is.
      const arms = turned([
        [x - 1, y],
        [x + 1, y],
        [x, y - 1],
        [x, y + 1],
      ]);
      return { kind: "cross", points: arms, gap, seen, middle: turned([a])[0]! };
    }
    case "RULER":
    case "AXIS":
      return b ? rulerOf(item, turned([a, b])) : null;
    default: // RANGELINE and others' own
      return null;
  }
}

/**
 * A point beside a cut line from where its plane is looked at.
 *
 * The arrows stand "in the positive right half-plane of the cutline before rotation"
 * (C.10.5.1.3.6): right of somebody who goes from its first point to its second, or right on the
 * screen. Of a line that runs upwards these are the same; of others it is not known which is meant.
 */
function viewedFrom(item: DataSet, [x0, y0]: Pair, [x1, y1]: Pair): Pair | null {
  if (item.string(T.CompoundGraphicType) !== "CUTLINE" || !(y1 < y0)) return null;
  return [(x0 + x1) / 2 - (y1 - y0), (y0 + y1) / 2 + (x1 - x0)];
}

/** Types of which only a part is drawn. */
export function isWhole(item: DataSet): boolean {
  const type = item.string(T.CompoundGraphicType);
  if (type === "ARROW") return false;
  if (type === "CUTLINE") {
    const [x0, y0, x1, y1] = item.numbers(T.GraphicData);
    return viewedFrom(item, [x0!, y0!], [x1!, y1!]) !== null;
  }
  return !(type === "CROSSHAIR" && item.items(T.MajorTicksSequence).length);
}

function rulerOf(item: DataSet, points: Pair[]): Shape | null {
  const ticks = item.items(T.MajorTicksSequence).map((each) => ({
    at: each.number(T.TickPosition) ?? Number.NaN,
    label: each.string(T.TickLabel),
  }));
  if (ticks.length > MOST_TICKS || !ticks.every(({ at }) => at >= 0 && at <= 1)) return null;
  const isLabelled = item.string(T.ShowTickLabel) !== "N";
  return {
    kind: "ruler",
    points,
    ticks: isLabelled ? ticks : ticks.map(({ at }) => ({ at, label: "" })),
    tickSide: SIDES[item.string(T.TickAlignment)] ?? 0,
    labelSide: SIDES[item.string(T.TickLabelAlignment)] ?? 1,
  };
}

/** Degrees counter-clockwise, rows counting downwards (C.10.5.1.3.2). */
function turn([x, y]: Pair, degrees: number, [cx, cy]: Pair): Pair {
  const by = (degrees * Math.PI) / 180;
  const [dx, dy] = [x - cx, y - cy];
  return [cx + dx * Math.cos(by) + dy * Math.sin(by), cy - dx * Math.sin(by) + dy * Math.cos(by)];
}
