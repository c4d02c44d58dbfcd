/** Frames of encapsulated pixels (PS3.5 A.4): items after the Basic Offset Table. */
import { DataError } from "./errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

interface Item {
  start: number;
  length: number;
}

const ITEM = 0xfffee000;
const MOST_ITEMS = 200_000;
const WINDOW = 64 << 10;
const known = new WeakMap<Blob, Map<number, Promise<Item[]>>>();

/** @param frame From 0. @throws DataError "damaged" */
export async function frameBytes(
  body: Blob,
  start: number,
  frame: number,
  frames: number,
): Promise<Bytes> {
  let places = known.get(body);
  if (!places) {
    places = new Map();
    known.set(body, places);
  }
  let items = places.get(start);
  if (!items) {
    items = readItems(body, start);
    places.set(start, items);
  }
  const [table, ...fragments] = await items;
  if (!table || !fragments.length) throw new DataError("damaged", "", "no fragments");
  const parts = await fragmentsOf(body, table, fragments, frame, frames);
  if (!parts.length) throw new DataError("damaged", "", "no such frame");
  const blobs = parts.map((each) => body.slice(each.start, each.start + each.length));
  return new Uint8Array(await new Blob(blobs).arrayBuffer());
}

async function fragmentsOf(
  body: Blob,
  table: Item,
  fragments: Item[],
  frame: number,
  frames: number,
): Promise<Item[]> {
  if (frames === 1) return fragments;
  if (fragments.length === frames) return fragments.slice(frame, frame + 1);
  if (table.length !== 4 * frames) return byStarts(body, fragments, frame, frames);
  const raw = new DataView(await body.slice(table.start, table.start + table.length).arrayBuffer());
  const first = fragments[0]!.start - 8;
  const from = first + raw.getUint32(4 * frame, true);
  const to = frame + 1 < frames ? first + raw.getUint32(4 * frame + 4, true) : Infinity;
  return fragments.filter((each) => each.start - 8 >= from && each.start - 8 < to);
}

/** Without offsets: each frame of a JPEG family begins with its own marker (PS3.5 A.4). */
async function byStarts(
  body: Blob,
  fragments: Item[],
  frame: number,
  frames: number,
): Promise<Item[]> {
  const heads = await Promise.all(
    fragments.map(({ start }) => body.slice(start, start + 4).arrayBuffer()),
  );
  const first = heads.flatMap((head, i) => (isStart(new Uint8Array(head)) ? [i] : []));
  if (first.length !== frames || first[0] !== 0) {
    throw new DataError("damaged", "", "frames of unknown place");
  }
  return fragments.slice(first[frame], first[frame + 1]);
}

/** SOI and another marker; SOC and SIZ. */
function isStart([a, b, c, d]: Uint8Array): boolean {
  return a === 0xff && c === 0xff && (b === 0xd8 || (b === 0x4f && d === 0x51));
}

async function readItems(body: Blob, start: number): Promise<Item[]> {
  const out: Item[] = [];
  let held = new DataView(new ArrayBuffer(0));
  let heldAt = start;
  for (let at = start; out.length < MOST_ITEMS; ) {
    if (at < heldAt || at + 8 > heldAt + held.byteLength) {
      held = new DataView(await body.slice(at, at + WINDOW).arrayBuffer());
      heldAt = at;
      if (held.byteLength < 8) return out; // no delimiter: what is there is there
    }
    const within = at - heldAt;
    const tag = ((held.getUint16(within, true) << 16) | held.getUint16(within + 2, true)) >>> 0;
    const length = held.getUint32(within + 4, true);
    if (tag !== ITEM) return out;
    if (at + 8 + length > body.size) throw new DataError("damaged", "", "cut off");
    out.push({ start: at + 8, length });
    at += 8 + length;
  }
  return out;
}
