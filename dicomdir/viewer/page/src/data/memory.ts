/** A bounded store: what was used longest ago, or matters least, goes first. */
export class Bounded<V> {
  private readonly most: number;
  private readonly held = new Map<string, { value: V; size: number }>();
  private total = 0;

  /** @param most Sum of sizes that may be held; one thing alone may be larger. */
  constructor(most: number) {
    this.most = most;
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
    this.drop(key);
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

  drop(key: string): void {
    const found = this.held.get(key);
    if (!found) return;
    this.total -= found.size;
    this.held.delete(key);
  }
}
