/**
 * Data files by injected scripts: a page opened from a file may load nothing else.
 *
 * Two at a time, so that an optical drive does not seek to and fro; of large ones one, so that the
 * first of four mammograms does not come with the second; and nothing ahead beside what somebody waits
 * for. Which comes next is asked when a place is free, so that what is looked at goes first.
 */
import { crc32 } from "./crc32.ts";
import { DataError } from "./errors.ts";
import type { Lock } from "./format.ts";
import { unpack } from "./text.ts";
import { Texts } from "./texts.ts";

/** How urgent a file is at this moment: the lowest goes first, Infinity waits. */
export type Rank = () => number;

export interface Base {
  /** Address of the folder VIEWER, with the last slash. */
  folder: string;
  /** Whether this medium shows its names in lower case. */
  lower: boolean;
}

type Payload = Uint8Array<ArrayBuffer>;

interface Call {
  (name: string, bytes: number, crc: number, text: string): void;
  lock: (lock: Lock) => void;
}

/** What BOOT.JS had loaded before there was a Loader: MANIFEST.JS and the files it names first. */
interface Early extends Array<[string, number, number, string]> {
  lock?: Lock;
  /** Those that are still coming, by name. */
  scripts?: Record<string, HTMLScriptElement>;
  /** The first image, small, on the screen already. */
  glimpse?: HTMLImageElement;
}

declare global {
  interface Window {
    SENDHOME?: Call;
    SENDHOME_EARLY?: Early;
    SENDHOME_BASE?: Base;
  }
}

interface Request {
  name: string;
  isLarge: boolean;
  ranks: Rank[];
  resolve: (payload: Payload) => void;
  reject: (error: DataError) => void;
  promise: Promise<Payload>;
  /** What the script called with; null when it has not. */
  called: Payload | "bad" | null;
}

const AT_ONCE = 2;
/** Ranks up to that of the pixels that are looked at. */
export const AWAITED = 10;
/** Bytes on the medium: a second of an optical drive's time. */
const LARGE = 2_500_000;

export class Loader {
  /** What SENDHOME.lock was called with: this medium is protected. */
  lock: Lock | null = null;
  /** Nothing is loaded ahead: what is there is being brought onto the screen first. */
  private isAlone = false;
  private readonly base: Base;
  private readonly waiting = new Map<string, Request>();
  private readonly running = new Map<string, Request>();
  /** What came in the file of another one and has not been asked for: few, and taken at once. */
  private readonly brought = new Map<string, Payload | "bad">();
  private readonly texts = new Texts();
  /** Asked for by BOOT.JS, in the case of its own address. */
  private readonly coming: Record<string, HTMLScriptElement>;

  constructor(base: Base) {
    this.base = base;
    const call = ((name: string, bytes: number, crc: number, text: string) =>
      this.receive(name, bytes, crc, text)) as Call;
    call.lock = (lock) => {
      this.lock ??= lock;
    };
    window.SENDHOME = call;
    const early = window.SENDHOME_EARLY;
    this.coming = early?.scripts ?? {};
    if (early?.lock) call.lock(early.lock);
    for (const [name, bytes, crc, text] of early?.splice(0) ?? []) call(name, bytes, crc, text);
  }

  /**
   * The payload of a data file, its CRC checked.
   *
   * @param bytes Of the file, where they are known.
   * @throws DataError "unreadable" or "damaged".
   */
  load(name: string, rank: Rank, bytes = 0): Promise<Payload> {
    const brought = this.brought.get(name);
    if (brought) {
      this.brought.delete(name);
      if (brought !== "bad") return Promise.resolve(brought);
      return Promise.reject(new DataError("damaged", name, "CRC"));
    }
    const known = this.running.get(name) ?? this.waiting.get(name);
    if (known) {
      known.ranks.push(rank);
      return known.promise;
    }
    const isLarge = bytes >= LARGE;
    const request = { name, isLarge, ranks: [rank], called: null } as unknown as Request;
    request.promise = new Promise((resolve, reject) => {
      request.resolve = resolve;
      request.reject = reject;
    });
    this.waiting.set(name, request);
    // Whoever asks for several asks for all of them before the first one goes.
    void Promise.resolve().then(() => this.next());
    return request.promise;
  }

  /** Somebody else wants a file that is asked for already. */
  urge(name: string, rank: Rank): void {
    this.waiting.get(name)?.ranks.push(rank);
    this.next();
  }

  /** Whether nothing but what somebody waits for is loaded from now on. */
  alone(isAlone: boolean): void {
    this.isAlone = isAlone;
    this.next();
  }

  /** Ranks have changed: something that waited for ever may go now. */
  next(): void {
    while (this.running.size < AT_ONCE) {
      let best: Request | null = null;
      let least = Infinity;
      const running = [...this.running.values()];
      const isBusy = running.some((each) => each.isLarge);
      const isAwaited = this.isAlone || running.some((each) => rankOf(each) <= AWAITED);
      for (const request of this.waiting.values()) {
        if (isBusy && request.isLarge) continue;
        const rank = rankOf(request);
        // Seconds of reading wait for what is seen before them.
        if (request.isLarge && running.some((each) => rankOf(each) < rank)) continue;
        if (isAwaited && rank > AWAITED) continue;
        if (rank < least) {
          least = rank;
          best = request;
        }
      }
      if (!best) return;
      this.waiting.delete(best.name);
      this.running.set(best.name, best);
      this.inject(best, this.base.lower, false);
    }
  }

  private inject(request: Request, lower: boolean, isRetry: boolean): void {
    const coming = isRetry ? undefined : this.coming[request.name];
    delete this.coming[request.name];
    const script = coming ?? document.createElement("script");
    script.async = true;
    script.onload = () => {
      script.remove();
      this.loaded(request);
    };
    script.onerror = () => {
      script.remove();
      if (!isRetry) this.inject(request, !lower, true);
      else this.ended(request, () => request.reject(new DataError("unreadable", request.name)));
    };
    if (coming) return;
    script.src = this.base.folder + path(request.name, lower);
    document.body.appendChild(script);
  }

  private receive(name: string, bytes: number, crc: number, text: string): void {
    if (typeof text !== "string") return;
    const payload = unpack(text, bytes);
    this.texts.ran(2 * text.length);
    const called = payload && crc32(payload) === crc ? payload : "bad";
    const request = this.running.get(name) ?? this.waiting.get(name);
    if (!request) {
      this.brought.set(name, called);
      return;
    }
    request.called = called;
    if (this.waiting.delete(name)) this.loaded(request); // another file brought it
  }

  private loaded(request: Request): void {
    const made = request.called;
    this.ended(request, () => {
      if (made instanceof Uint8Array) request.resolve(made);
      else request.reject(new DataError("damaged", request.name, made ? "CRC" : "no call"));
    });
  }

  private ended(request: Request, tell: () => void): void {
    this.running.delete(request.name);
    tell();
    this.next();
  }
}

function rankOf({ ranks }: Request): number {
  return Math.min(...ranks.map((each) => each()));
}

/** Where a data file is, seen from VIEWER. */
export function path(name: string, lower: boolean): string {
  const upper = name.includes("/") ? `D/${name}.JS` : `${name}.JS`;
  return lower ? upper.toLowerCase() : upper;
}
