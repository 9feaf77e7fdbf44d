/**
 * What `work` comes to, or the reason of `signal` as soon as it is aborted: for drivers that take no signal. What they still do then is
 * nobody's matter, so that `work` should look at the signal itself before it does what cannot be taken back.
 */
export async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}
