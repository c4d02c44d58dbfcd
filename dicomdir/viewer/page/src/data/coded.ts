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

interface Asked {
  request: CodedRequest;
  /** Of the object. */
  uid: string;
  resolve: (reply: CodedReply) => void;
  reject: (error: DataError) => void;
}

interface Hand {
  ask(request: CodedRequest): void;
  end(): void;
}

let program: Promise<Program> | null = null;
let hand: Hand | null = null;
/** Whether a worker has answered, or may yet: a policy of the browser can forbid it. */
let isPossible = true;
let hasAnswered = false;
/** The newest is taken first: it is what somebody looks at. */
const waiting: Asked[] = [];
let current: Asked | null = null;
let timer = 0;
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
  const pixels = { rows, columns, samples, allocated, stored, isSigned };
  const wanted = { transferSyntax, photometric, ...pixels };
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

async function ask(request: CodedRequest, uid: string): Promise<CodedReply> {
  program ??= load();
  const loaded = await program.catch((error: unknown) => {
    program = null; // the disc may be put back
    throw error;
  });
  return new Promise((resolve, reject) => {
    waiting.push({ request, uid, resolve, reject });
    next(loaded);
  });
}

/** One at a time, so that each has all the time there is, and the others outlive what ends one. */
function next(loaded: Program): void {
  if (current) return;
  current = waiting.pop() ?? null;
  if (!current) return;
  hand ??= (isPossible ? beside(loaded) : null) ?? here(loaded);
  const own = hand;
  timer = window.setTimeout(() => lost(loaded, own, "no end"), MOST_MS);
  own.ask(current.request);
}

function beside(loaded: Program): Hand | null {
  try {
    const url = URL.createObjectURL(new Blob([`(${loaded})(self)`], { type: "text/javascript" }));
    const worker = new Worker(url);
    const made: Hand = {
      // A copy: where there can be no worker after all, the page needs the bytes.
      ask: (request) => worker.postMessage(request),
      end: () => {
        worker.terminate();
        URL.revokeObjectURL(url);
      },
    };
    worker.onmessage = ({ data }: MessageEvent<CodedReply>) => {
      hasAnswered = true;
      performance.mark("sendhome-coded"); // for tests
      answered(loaded, data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      lost(loaded, made, "ended");
    };
    return made;
  } catch {
    isPossible = false;
    return null;
  }
}

/** On the page, a frame at a time. */
function here(loaded: Program): Hand {
  const scope: Scope = { onmessage: null, postMessage: (reply) => answered(loaded, reply) };
  loaded(scope);
  return {
    ask: (request) => void window.setTimeout(() => scope.onmessage?.({ data: request }), 0),
    end: () => undefined,
  };
}

function answered(loaded: Program, reply: CodedReply): void {
  if (current?.request.id !== reply.id) return;
  const asked = current;
  window.clearTimeout(timer);
  current = null;
  asked.resolve(reply);
  next(loaded);
}

/** It does not run, ran out of memory, or has no end: the next one has a worker of its own. */
function lost(loaded: Program, ended: Hand, detail: string): void {
  if (hand !== ended) return;
  ended.end();
  hand = null;
  window.clearTimeout(timer);
  const asked = current;
  current = null;
  if (asked && !hasAnswered && detail === "ended") {
    isPossible = false;
    waiting.push(asked);
  } else asked?.reject(new DataError("damaged", asked.uid, detail));
  next(loaded);
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
