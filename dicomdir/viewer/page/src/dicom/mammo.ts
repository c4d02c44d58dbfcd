/** Hanging of mammograms: right beside left, chest walls together, CC above MLO. */
export interface MammoView {
  side: "R" | "L" | "";
  view: string;
}

export interface Hung {
  /** Cells row by row of two columns, each the index of an image or null. */
  cells: (number | null)[];
  rows: number;
}

const ROWS: readonly (readonly string[])[] = [
  ["CC", "XCCL", "XCCM", "FB"],
  ["MLO", "ML", "LM", "LMO"],
];

/** Null where no two of the standard views are there. */
export function hang(views: readonly MammoView[]): Hung | null {
  const cells: (number | null)[] = [];
  for (const names of ROWS) {
    const pair = (["R", "L"] as const).map((side) => find(views, side, names));
    if (pair.some((each) => each !== null)) cells.push(...pair);
  }
  const found = cells.filter((each) => each !== null).length;
  return found >= 2 ? { cells, rows: cells.length / 2 } : null;
}

/** Where a standard view hangs among all four; null: it is none. */
export function cellOf({ side, view }: MammoView): number | null {
  const row = ROWS.findIndex(([name]) => name === view);
  return row < 0 || !side ? null : row * 2 + (side === "R" ? 0 : 1);
}

function find(views: readonly MammoView[], side: string, names: readonly string[]): number | null {
  for (const name of names) {
    const at = views.findIndex((each) => each.side === side && each.view === name);
    if (at >= 0) return at;
  }
  return null;
}

/**
 * Whether the image has to be mirrored so that the chest wall of a right breast is at the right of
 * the screen and that of a left one at the left. Patient Orientation says where rows point: towards
 * the front (A), away from the chest wall, or towards the back (P).
 */
export function isMirrored(side: "R" | "L", rowPointsTo: string): boolean {
  const isFront = rowPointsTo.includes("A");
  const isBack = rowPointsTo.includes("P");
  if (!isFront && !isBack) return false;
  return side === "R" ? isFront : isBack;
}
