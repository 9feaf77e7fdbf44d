/**
 * Remembers the newest processed objects by time. An object older than a forgotten one may be processed again; its run already exists, and
 * is not started twice.
 */
export class StartedObjects {
  private readonly times = new Map<string, number>();
  /** The time of the newest object that was dropped because of the limit, in milliseconds. */
  private forgotten = -Infinity;

  /** @param limit number of objects to remember */
  constructor(private readonly limit: number) {}

  get size(): number {
    return this.times.size;
  }

  has(id: string): boolean {
    return this.times.has(id);
  }

  /** @param time milliseconds; items arrive in order of their times, except late ones */
  add(id: string, time: number): void {
    if (time <= this.forgotten) return;
    this.times.set(id, time);
    if (this.times.size <= this.limit) return;
    for (const [oldest, at] of this.times) {
      this.times.delete(oldest);
      this.forgotten = Math.max(this.forgotten, at);
      return;
    }
  }

  /** Forgets items older than `time` (milliseconds), which are not listed any more. */
  forgetBefore(time: number): void {
    for (const [id, at] of this.times) if (at < time) this.times.delete(id);
  }
}
