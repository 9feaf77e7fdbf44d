import { iso } from '../workflows/plan/timetable/schedule.ts';

/** Tracks how long conditions have been true. */
export class Since {
  private readonly next: Record<string, string> = {};

  constructor(
    private readonly before: Readonly<Record<string, string>>,
    private readonly now: number,
  ) {}

  /** For how many milliseconds a condition has been true; undefined if it is false. */
  lasting(key: string, isSo: boolean): number | undefined {
    if (!isSo) return undefined;
    const began = this.before[key] ?? iso(this.now);
    this.next[key] = began;
    return this.now - Date.parse(began);
  }

  /** Keeps the start times of conditions that cannot be checked at the moment. */
  carry(isAbout: (key: string) => boolean): void {
    for (const [key, began] of Object.entries(this.before)) if (isAbout(key)) this.next[key] ??= began;
  }

  /** When a condition passed to `lasting` became true, ISO 8601; else now. */
  began(key: string): string {
    return this.next[key] ?? iso(this.now);
  }

  /** Whether a condition is true, or was true within the last `ms`. */
  recently(key: string, isSo: boolean, ms: number): boolean {
    const last = isSo ? iso(this.now) : this.before[key];
    if (last === undefined || this.now - Date.parse(last) > ms) return false;
    this.next[key] = last;
    return true;
  }

  kept(): Record<string, string> {
    return this.next;
  }
}
