import { createHash } from 'node:crypto';
import { callHttp } from '../../lib/http.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { SensorContext } from '../define-trigger.ts';
import { type PollResult, pollSource } from '../run/poll.ts';

/** The state of the answer at the last check, and the number of runs started. */
interface AnswerCursor {
  readonly runs: number;
  /** Whether `until` was true; without `until`, the previous answer. */
  readonly was?: boolean | string;
  readonly [name: string]: Json | undefined;
}

/** Starts a run when a condition over a service's answer becomes true; without one, when the answer changes. */
export async function watchAnswer(context: SensorContext): Promise<never> {
  const { trigger, matcher, runs, signal } = context;
  const { path, until, poke_interval: every, timeout } = trigger.source;
  const timeoutMs = parseDuration(String(timeout ?? '60s')) ?? 60_000;
  let isFirst = true;
  return pollSource<AnswerCursor>(context, {
    every: parseDuration(String(every ?? '1m')) ?? 60_000,
    begin: () => Promise.resolve({ runs: 0 }),
    async poll(cursor): Promise<PollResult<AnswerCursor>> {
      // The cursor of a crashed sensor may miss its last run, so count the runs.
      const started = isFirst ? Math.max(cursor.runs, await countOf(context)) : cursor.runs;
      const { status, body } = await callHttp(context.connection(['http']), { path: String(path), timeoutMs, signal });
      if (status < 200 || status > 299) throw new Error(`${String(path)} is answered with ${status}.`);
      const event: RunEvent = { value: body, meta: { timestamp: new Date().toISOString(), status } };
      const was = typeof until === 'string' && started > cursor.runs ? true : cursor.was;
      const is = typeof until === 'string' ? matcher.evaluate(until, event) === true : fingerprint(body);
      isFirst = false;
      const isNew = typeof until === 'string' ? is === true && was !== true : was !== undefined && was !== is;
      if (!isNew) return { found: [], cursor: { runs: started, was: is } };
      return { found: [{ id: `${trigger.name}-${started + 1}`, event }], cursor: { runs: started + 1, was: is } };
    },
  });

  /** The number of the last run started. */
  async function countOf({ trigger: { name } }: SensorContext): Promise<number> {
    const ids = await runs.recent();
    return Math.max(0, ...ids.flatMap((id) => (id.startsWith(`${name}-`) ? [Number(id.slice(name.length + 1)) || 0] : [])));
  }
}

function fingerprint(body: Json): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16);
}
