/** Keeps only the first items in an order, up to a limit. */
export class Oldest<T> {
  private kept: T[] = [];
  private hasDropped = false;

  constructor(
    private readonly limit: number,
    private readonly order: (a: T, b: T) => number,
  ) {}

  add(thing: T): void {
    this.kept.push(thing);
    if (this.kept.length >= 2 * this.limit) this.trim();
  }

  /** @returns the items in order, and whether there were more */
  take(): { readonly first: readonly T[]; readonly more: boolean } {
    this.trim();
    return { first: this.kept, more: this.hasDropped };
  }

  private trim(): void {
    this.kept.sort(this.order);
    if (this.kept.length <= this.limit) return;
    this.kept = this.kept.slice(0, this.limit);
    this.hasDropped = true;
  }
}
