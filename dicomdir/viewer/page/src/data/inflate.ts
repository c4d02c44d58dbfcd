/** Raw deflate, undone by the browser or, where it cannot, by fflate. */
import { Inflate, inflateSync } from "fflate";
import { DataError } from "./errors.ts";
import { giveBack } from "./memory.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** So that what unpacks to a thousand times as much is stopped in time. */
const STEP = 64 << 10;
const isNative = supportsRaw();

function supportsRaw(): boolean {
  try {
    return typeof DecompressionStream === "function" && !!new DecompressionStream("deflate-raw");
  } catch {
    return false; // there are browsers that know gzip and deflate only
  }
}

/**
 * @param size Length of the result where it is known.
 * @param most Longest result that is taken; more is damage.
 * @throws DataError "damaged".
 */
export async function inflate(
  data: Uint8Array<ArrayBuffer>,
  file: string,
  size: number | null,
  most = size ?? 64 << 20,
): Promise<Uint8Array<ArrayBuffer>> {
  const made = isNative ? await native(data, file, size, most) : inflateNow(data, file, size);
  if (made.length > most || (size !== null && made.length !== size)) {
    throw new DataError("damaged", file, "length");
  }
  return made;
}

/**
 * By fflate: where nobody waits for the thread it is the faster one of the two.
 *
 * @throws DataError "damaged".
 */
export function inflateNow(
  data: Uint8Array,
  file: string,
  size: number | null,
): Uint8Array<ArrayBuffer> {
  try {
    const room = size === null ? undefined : { out: new Uint8Array(size) };
    return inflateSync(data, room) as Uint8Array<ArrayBuffer>;
  } catch (error) {
    throw new DataError("damaged", file, String(error));
  }
}

/**
 * By fflate, whatever stands behind the deflated data.
 *
 * @throws DataError "damaged".
 */
export function inflateFirst(data: Uint8Array, file: string, most: number): Bytes {
  const parts: Bytes[] = [];
  let total = 0;
  let isWhole = false;
  const stream = new Inflate((part, isLast) => {
    parts.push(part as Bytes);
    total += part.length;
    isWhole ||= isLast;
    if (total > most) throw new DataError("damaged", file, "too long");
  });
  try {
    for (let at = 0; at < data.length && !isWhole; at += STEP) {
      stream.push(data.subarray(at, at + STEP), at + STEP >= data.length);
    }
  } catch (error) {
    throw error instanceof DataError ? error : new DataError("damaged", file, String(error));
  }
  const out = new Uint8Array(total);
  parts.reduce((at, part) => {
    out.set(part, at);
    return at + part.length;
  }, 0);
  return out;
}

/** By writer and reader: feeding from a Blob fails in WebKit's workers and is slow in Chromium. */
async function native(
  data: Uint8Array<ArrayBuffer>,
  file: string,
  size: number | null,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  // What fails here fails at the reader too, which is where it is reported.
  const fed = writer.write(data).then(() => writer.close());
  fed.catch(() => undefined);
  let out = new Uint8Array(size ?? Math.min(most, Math.max(1024, data.length * 4)));
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > most) throw new DataError("damaged", file, "too long");
      if (at + value.length > out.length) {
        const wider = new Uint8Array(Math.min(most, Math.max(at + value.length, out.length * 2)));
        wider.set(out.subarray(0, at));
        out = wider;
      }
      out.set(value, at);
      at += value.length;
      giveBack(value.buffer);
    }
    await fed;
  } catch (error) {
    reader.cancel().catch(() => undefined);
    throw error instanceof DataError ? error : new DataError("damaged", file, String(error));
  }
  return at === out.length ? out : out.subarray(0, at);
}
