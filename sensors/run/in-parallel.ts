/** Runs work concurrently, up to a limit. */
export class InParallel {
  private readonly active = new Set<Promise<void>>();
  private pulse: Promise<void> | undefined;
  private failure: { readonly error: unknown } | undefined;

  /** @param meanwhile called repeatedly while waiting for work; its error ends the waiting */
  constructor(
    private readonly most: number,
    private readonly meanwhile?: () => Promise<void>,
  ) {}

  /** Adds work; resolves when more can be added. @throws the first failure of the work */
  async add(work: Promise<void>): Promise<void> {
    const tracked = work.then(
      () => void this.active.delete(tracked),
      (error: unknown) => ((this.failure ??= { error }), void this.active.delete(tracked)),
    );
    this.active.add(tracked);
    await this.until(this.most - 1);
  }

  /** Resolves when all is done. @throws the first failure */
  done(): Promise<void> {
    return this.until(0);
  }

  private async until(left: number): Promise<void> {
    while (this.active.size > left && !this.failure) {
      this.pulse ??= this.meanwhile?.().finally(() => (this.pulse = undefined));
      await Promise.race([...this.active, ...(this.pulse ? [this.pulse] : [])]);
    }
    if (this.failure) throw this.failure.error;
  }
}
