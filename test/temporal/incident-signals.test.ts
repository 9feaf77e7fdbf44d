import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, WorkflowNotFoundError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { IncidentSignals } from '../../temporal/monitors/incident-signals.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { incidentId, type Observation } from '../../workflows/plan/incidents/incident.ts';
import { testStack } from '../support/test-stack.ts';

const SEEN: Observation = {
  state: 'breach',
  alerts: {},
  page: { summary: 'sales failed', severity: 'error', source: 's', kind: 'test', since: '2024-01-01T00:00:00Z', details: {}, links: [] },
};

describe('reports to incidents', function () {
  this.timeout('1m');
  let client: Client;

  before(async function () {
    this.timeout('15m');
    client = await connectClient((await testStack(['temporal'])).environment);
    await ensureSearchAttributes(client);
  });
  after(() => client.connection.close());

  /** A client whose server is away after so many requests that change something. */
  function awayAfter(requests: number): Client {
    let left = requests;
    const pass = <I, O>(input: I, next: (input: I) => Promise<O>): Promise<O> =>
      left-- > 0 ? next(input) : Promise.reject(new Error('the server is away'));
    const { connection, options } = client;
    return new Client({
      connection,
      namespace: options.namespace,
      interceptors: { workflow: [{ start: pass, signal: pass, signalWithStart: pass }] },
    });
  }

  /** The observations of an incident; undefined if there is none. */
  async function observed(key: string): Promise<number | undefined> {
    try {
      const handle = client.workflow.getHandle(incidentId(key));
      await handle.describe();
      const { events } = await handle.fetchHistory();
      return events?.filter(({ workflowExecutionSignaledEventAttributes: signal }) => signal).length;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  it('leave no incident that is open without a problem, whenever the server goes away', async () => {
    const seen: (number | undefined)[] = [];
    for (const requests of [0, 1, 2]) {
      const key = `away_${randomUUID().slice(0, 8)}/failed/${requests}`;
      // The problem is over before the server is back, so that nobody reports it again.
      await new IncidentSignals(awayAfter(requests), `nobody-${randomUUID()}`).observe(key, SEEN).catch(() => undefined);
      seen.push(await observed(key));
      if (seen.at(-1) !== undefined) await client.workflow.getHandle(incidentId(key)).terminate();
    }
    assert.deepEqual(seen, [undefined, 1, 1]);
  });
});
