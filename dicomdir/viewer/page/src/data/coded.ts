/**
 * Frames that only CODECS.JS decodes: it is loaded when the first one is opened, and works beside
 * the page where the browser lets it.
 */
import type { CodedReply, CodedRequest, Scope } from "../codecs/codecs_worker.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { picture } from "./decode.ts";
import { DataError } from "./errors.ts";
import type { Picture } from "./source.ts";
import { nameOf } from "./syntaxes.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Program = (scope: Scope) => void;

/** A stream on which a decoder never ends is damaged; no real frame takes as long. */
const MOST_MS = 60_000;

interface Waiting {
  resolve: (reply: CodedReply) => void;
  reject: (error: DataError) => void;
  timer: number;
}

interface Hand {
  ask(request: CodedRequest): void;
  end(): void;
}

let program: Promise<Program> | null = null;
let hand: Hand | null = null;
const waiting = new Map<number, Waiting>();
let last = 0;

/**
 * @param photometric As the object has it.
 * @throws DataError "damaged"; "compressed": a form that nothing here decodes, by its name;
 *   "unreadable": CODECS.JS is.
 */
export async function decodeCoded(
  bytes: Bytes,
  transferSyntax: string,
  photometric: string,
  info: FrameInfo,
): Promise<Picture> {
  const { rows, columns, samples, allocated, stored, shift, isSigned, uid } = info;
  const wanted = { transferSyntax, rows, columns, samples, allocated, photometric };
  const isGrey = samples === 1 && allocated <= 16 && !info.palette;
  const isLarge = rows * columns * (allocated / 8) >= 1 << 20;
  const halve = isGrey && isLarge ? { stored, shift, isSigned } : null;
  const reply = await ask({ id: ++last, bytes, wanted, halve }, uid);
  if (!("cells" in reply)) {
    if (reply.isForeign) throw new DataError("compressed", uid, nameOf(transferSyntax));
    throw new DataError("damaged", uid, reply.detail);
  }
  const shown = picture(reply.cells, info);
  return shown.kind === "grey" && reply.half ? { ...shown, half: reply.half } : shown;
}

async function ask(request: CodedRequest, file: string): Promise<CodedReply> {
  program ??= load();
  const loaded = await program.catch((error: unknown) => {
    program = null; // the disc may be put back
    throw error;
  });
  hand ??= start(loaded);
  const own = hand;
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(() => {
      waiting.delete(request.id);
      reject(new DataError("damaged", file, "no end"));
      restart(own);
    }, MOST_MS);
    waiting.set(request.id, { resolve, reject, timer });
    own.ask(request);
  });
}

function start(loaded: Program): Hand {
  try {
    const url = URL.createObjectURL(new Blob([`(${loaded})(self)`], { type: "text/javascript" }));
    const worker = new Worker(url);
    const made: Hand = {
      ask: (request) => worker.postMessage(request, [request.bytes.buffer]),
      end: () => worker.terminate(),
    };
    worker.onmessage = ({ data }: MessageEvent<CodedReply>) => answered(data);
    worker.onerror = (event) => {
      event.preventDefault();
      restart(made);
    };
    return made;
  } catch {
    return here(loaded); // a policy of the browser
  }
}

/** On the page, a frame at a time. */
function here(loaded: Program): Hand {
  const scope: Scope = { onmessage: null, postMessage: answered };
  loaded(scope);
  return {
    ask: (request) => void window.setTimeout(() => scope.onmessage?.({ data: request }), 0),
    end: () => undefined,
  };
}

function answered(reply: CodedReply): void {
  const asked = waiting.get(reply.id);
  if (!asked) return;
  waiting.delete(reply.id);
  window.clearTimeout(asked.timer);
  performance.mark("sendhome-coded"); // for tests
  asked.resolve(reply);
}

/** It does not run, ran out of memory, or has no end: who waits is told, the next one starts anew. */
function restart(ended: Hand): void {
  if (hand !== ended) return;
  ended.end();
  hand = null;
  for (const { reject, timer } of waiting.values()) {
    window.clearTimeout(timer);
    reject(new DataError("damaged", "CODECS", "ended"));
  }
  waiting.clear();
}

function load(): Promise<Program> {
  return new Promise((resolve, reject) => {
    const base = window.SENDHOME_BASE ?? { folder: "", lower: false };
    let made: Program | null = null;
    const call = window.SENDHOME as unknown as { codecs?: (value: unknown) => void };
    call.codecs = (value) => {
      if (typeof value === "function") made = value as Program;
    };
    const inject = (lower: boolean, isRetry: boolean) => {
      const script = document.createElement("script");
      script.src = base.folder + (lower ? "codecs.js" : "CODECS.JS");
      script.onload = () => {
        script.remove();
        if (made) resolve(made);
        else reject(new DataError("damaged", "CODECS.JS"));
      };
      script.onerror = () => {
        script.remove();
        if (isRetry) reject(new DataError("unreadable", "CODECS.JS"));
        else inject(!lower, true);
      };
      document.body.append(script);
    };
    inject(base.lower, false);
  });
}
