import { untilAborted } from '../../lib/until-aborted.ts';

interface Call<T> {
  readonly answer: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/** Makes equal calls at the same time once, and gives each caller the result. A failure is that of each. */
export class SharedCalls<T> {
  private readonly calls = new Map<string, Call<T>>();

  /**
   * @param key equal for calls that have the same result
   * @param signal of this caller; the call itself is aborted when no caller waits for it any more
   * @param send makes the call
   * @throws the reason of `signal`, or what `send` throws
   */
  async run(key: string, signal: AbortSignal, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const call = this.calls.get(key) ?? this.begin(key, send);
    call.waiting++;
    try {
      return await untilAborted(signal, call.answer);
    } finally {
      if (--call.waiting === 0) this.end(key, call, signal.reason);
    }
  }

  private begin(key: string, send: (signal: AbortSignal) => Promise<T>): Call<T> {
    const abort = new AbortController();
    const call: Call<T> = { answer: send(abort.signal), abort, waiting: 0 };
    this.calls.set(key, call);
    const settled = (): void => this.end(key, call, undefined);
    call.answer.then(settled, settled);
    return call;
  }

  /** A later call is a new one. Aborting one that has its result does nothing. */
  private end(key: string, call: Call<T>, reason: unknown): void {
    if (this.calls.get(key) === call) this.calls.delete(key);
    call.abort.abort(reason);
  }
}
