/**
 * Large frames decoded beside the page, so that it answers meanwhile.
 *
 * A page opened from a file may have no worker of a file, but of a Blob. Small frames stay: their
 * way to a worker and back would cost more than it saves.
 */
import { FILTERED, type Job, type Made } from "./cells.ts";
import { bytesOf, type Shape } from "./codec.ts";
import type { Reply, Request } from "./decode_worker.ts";
import { DataError } from "./errors.ts";

/** The worker's script, put in by build.mjs; not there in unit tests. */
declare const DECODER: string;

/** Decoded bytes from which a frame is worth the way. */
const LARGE = 1 << 20;
const MOST_WORKERS = 2;

interface Waiting {
  job: Job;
  resolve: (made: Made | null) => void;
  reject: (error: DataError) => void;
}

interface Hand {
  worker: Worker;
  waiting: Map<number, Waiting>;
}

const hands: Hand[] = [];
let isPossible = typeof DECODER === "string" && typeof Worker === "function";
let last = 0;

export function isLarge(shape: Shape): boolean {
  return bytesOf(shape) >= LARGE;
}

/** Have a worker ready by the time at which the first large frame has come. */
export function warmUp(): void {
  if (isPossible && !hands.length) start();
}

/**
 * The cells, or null where the caller has to decode: no worker, or none is worth it.
 *
 * @throws DataError "damaged".
 */
export function decodeBeside(job: Job): Promise<Made | null> {
  if (!isPossible || job.codec !== FILTERED || !isLarge(job.shape)) return Promise.resolve(null);
  const hand = free();
  if (!hand) return Promise.resolve(null);
  const id = ++last;
  return new Promise((resolve, reject) => {
    hand.waiting.set(id, { job, resolve, reject });
    // A copy: the chunk stays with the page, and may be asked for again.
    const bytes = job.bytes.slice();
    const request: Request = { id, job: { ...job, bytes } };
    hand.worker.postMessage(request, [bytes.buffer]);
  });
}

/** The one with the least to do; another one where all have something. */
function free(): Hand | null {
  const cores = navigator.hardwareConcurrency || 2;
  const most = Math.min(MOST_WORKERS, cores);
  const [best] = [...hands].sort((a, b) => a.waiting.size - b.waiting.size);
  if (best && (!best.waiting.size || hands.length >= most)) return best;
  return start() ?? best ?? null;
}

function start(): Hand | null {
  try {
    const url = URL.createObjectURL(new Blob([DECODER], { type: "text/javascript" }));
    const hand: Hand = { worker: new Worker(url), waiting: new Map() };
    hand.worker.onmessage = ({ data }: MessageEvent<Reply>) => answered(hand, data);
    hand.worker.onerror = (event) => {
      event.preventDefault();
      failed(hand);
    };
    hands.push(hand);
    return hand;
  } catch {
    isPossible = false; // a policy of the browser: the page decodes by itself
    return null;
  }
}

function answered(hand: Hand, reply: Reply): void {
  const asked = hand.waiting.get(reply.id);
  hand.waiting.delete(reply.id);
  if (!asked) return;
  performance.mark("sendhome-beside"); // for tests and benchmarks
  if ("made" in reply) asked.resolve(reply.made);
  else asked.reject(new DataError(reply.fault, asked.job.file, reply.detail));
}

/** It does not run, or ran out of memory: whoever waits decodes here, and nobody asks again. */
function failed(hand: Hand): void {
  isPossible = false;
  for (const { resolve } of hand.waiting.values()) resolve(null);
  hand.waiting.clear();
  hand.worker.terminate();
}
