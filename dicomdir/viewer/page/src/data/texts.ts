/**
 * Texts of data files that ran, which Chromium would keep: twice, as a script's source and as its
 * string, in V8's cache of compiled scripts, for minutes and however many collections there are. A
 * series of 3,000 slices is 0.7 GB of them, and by their measure V8 leaves other rubbish lying too.
 * No script can ask for a collection; but where memory for an ArrayBuffer cannot be had, V8 throws
 * away all that it can, that cache too, before it gives up. So it is asked for one that it never has:
 * 16 GiB are all of the address space that it keeps for buffers. It takes about 0.1 s.
 */

const NEVER_HAD = 2 ** 34;
/** Bytes of source: an optical drive brings them in 6 s, 250 slices of CT are in them. */
const WHEN_QUIET = 16 << 20;
/** So many that a hand which scrolls has to wait for a moment. */
const AT_ONCE = 48 << 20;
const QUIET_MS = 400;

/** Missing where there is no such cache: elsewhere memory that is never used might be reserved. */
const isChromium = typeof performance === "object" && "memory" in performance;

export class Texts {
  private readonly letGo: () => void;
  private readonly quiet: number;
  private bytes = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** @param quiet Milliseconds without a file after which nobody is in a hurry. */
  constructor(letGo: () => void = isChromium ? collect : () => undefined, quiet = QUIET_MS) {
    this.letGo = letGo;
    this.quiet = quiet;
  }

  /** A text of so many bytes ran, and nobody needs it any more. */
  ran(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes < WHEN_QUIET) return;
    if (this.timer !== null) clearTimeout(this.timer);
    // Never in the script itself: it is on the stack, and would stay.
    this.timer = setTimeout(() => this.now(), this.bytes < AT_ONCE ? this.quiet : 0);
  }

  private now(): void {
    this.timer = null;
    this.bytes = 0;
    this.letGo();
  }
}

/** All that nobody holds is given back. */
function collect(): void {
  try {
    new ArrayBuffer(NEVER_HAD);
  } catch {
    performance.mark("sendhome-collected"); // refused, as it was meant to be; for benchmarks
  }
}
