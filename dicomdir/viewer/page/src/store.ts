/** State that flows one way: somebody sets it, listeners draw it. */
export class Store<S extends object> {
  private state: Readonly<S>;
  private readonly listeners = new Set<(state: Readonly<S>, before: Readonly<S>) => void>();

  constructor(state: S) {
    this.state = state;
  }

  get(): Readonly<S> {
    return this.state;
  }

  /** Nothing happens where nothing changes. */
  set(patch: Partial<S>): void {
    const before = this.state;
    const keys = Object.keys(patch) as (keyof S)[];
    if (keys.every((key) => Object.is(before[key], patch[key]))) return;
    this.state = { ...before, ...patch };
    for (const listener of [...this.listeners]) listener(this.state, before);
  }

  /** @returns How to stop. */
  on(listener: (state: Readonly<S>, before: Readonly<S>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
