/**
 * What was handed on, with its time: the newest so many. Whatever is older than what was forgotten may be handed on again; its run is there, and
 * is not started twice.
 */
export class StartedObjects {
  private readonly times = new Map<string, number>();
  /** The time of the newest that was forgotten for want of room, milliseconds. */
  private forgotten = -Infinity;

  /** @param limit how many are remembered */
  constructor(private readonly limit: number) {}

  get size(): number {
    return this.times.size;
  }

  has(id: string): boolean {
    return this.times.has(id);
  }

  /** @param time milliseconds; what is added comes in the order of its times, but for what is late */
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

  /** Forgets what is older than `time` (milliseconds): it is not looked for any more. */
  forgetBefore(time: number): void {
    for (const [id, at] of this.times) if (at < time) this.times.delete(id);
  }
}
