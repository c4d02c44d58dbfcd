/** A bounded store: what was used longest ago, or matters least, goes first. */
export class Bounded<V> {
  private readonly most: number;
  private readonly letGo: (value: V) => void;
  private readonly held = new Map<string, { value: V; size: number }>();
  private total = 0;

  /**
   * @param most Sum of sizes that may be held; one thing alone may be larger.
   * @param letGo Called with what is held no more.
   */
  constructor(most: number, letGo: (value: V) => void = () => undefined) {
    this.most = most;
    this.letGo = letGo;
  }

  get size(): number {
    return this.total;
  }

  get(key: string): V | undefined {
    const found = this.held.get(key);
    if (!found) return undefined;
    this.held.delete(key);
    this.held.set(key, found); // the newest stands last
    return found.value;
  }

  has(key: string): boolean {
    return this.held.has(key);
  }

  /**
   * @param worth Of a key: the lowest goes first, and those of 0 never: they are looked at. Without
   *   it, the one used longest ago goes.
   * @returns Keys that had to go.
   */
  put(key: string, value: V, size: number, worth?: (key: string) => number): string[] {
    this.drop(key, value);
    this.held.set(key, { value, size });
    this.total += size;
    const gone: string[] = [];
    if (this.total <= this.most) return gone;
    const others = [...this.held.keys()].filter((each) => each !== key);
    const ranked = others.map((each) => ({ each, rank: worth ? worth(each) : -1 }));
    if (worth) ranked.sort((a, b) => a.rank - b.rank);
    for (const { each, rank } of ranked) {
      if (this.total <= this.most || rank >= 0) break;
      this.drop(each);
      gone.push(each);
    }
    return gone;
  }

  /** @param kept Not let go: it is put again. */
  drop(key: string, kept?: V): void {
    const found = this.held.get(key);
    if (!found) return;
    this.total -= found.size;
    this.held.delete(key);
    if (found.value !== kept) this.letGo(found.value);
  }
}

/**
 * Memory that nobody needs any more, given back now and not at some collection, which Firefox leaves
 * until there is a gigabyte of it. Whoever reads from the buffer afterwards finds it empty.
 */
export function giveBack(buffer: ArrayBuffer): void {
  (buffer as Movable).transfer?.(0);
}

/** Missing in browsers before 2024, which wait for the collection. */
interface Movable extends ArrayBuffer {
  transfer?: (length: number) => ArrayBuffer;
}
