import { readdirSync, readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { before, describe, it } from 'mocha';
import { dataConverterFrom } from '../../temporal/codec/codec.ts';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';
import { INCIDENT_WORKFLOW, MONITOR_WORKFLOW } from '../../workflows/plan/incidents/incident.ts';

type History = temporal.api.history.v1.IHistory;

const FILES = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.json'));

interface Recorded {
  readonly file: string;
  readonly workflowId: string;
  readonly history: History;
}

function read(file: string): Recorded {
  const { pipelineRunId, history } = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as {
    pipelineRunId: string;
    history: unknown;
  };
  return { file, workflowId: pipelineRunId, history: historyFromJSON(history) };
}

function bundleFor({ history }: Recorded): 'monitors' | 'index' {
  const type = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
  return [INCIDENT_WORKFLOW, MONITOR_WORKFLOW].includes(type) ? 'monitors' : 'index';
}

/** Replays histories one after another in one worker. @returns the error of each, if any */
async function replay(bundle: 'monitors' | 'index', histories: readonly Recorded[]): Promise<(Error | undefined)[]> {
  const options = { workflowBundle: await workflowBundle(bundle), dataConverter: dataConverterFrom({}) };
  const errors: (Error | undefined)[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    assert.equal(workflowId, histories[errors.length]?.workflowId, 'results come in the order of the histories');
    errors.push(error);
  }
  return errors;
}

describe('histories of earlier releases replay on the interpreter as it is now', function () {
  this.timeout('2m');
  const results = new Map<string, Error | undefined>();

  before(async () => {
    const all = FILES.map(read);
    for (const bundle of ['index', 'monitors'] as const) {
      const histories = all.filter((each) => bundleFor(each) === bundle);
      for (const [index, error] of (await replay(bundle, histories)).entries()) results.set(histories[index]?.file ?? '', error);
    }
  });

  it('are there', () => assert.ok(FILES.length >= 6));

  for (const file of FILES) {
    it(file, () => {
      assert.ok(results.has(file), 'it was not replayed');
      const error = results.get(file);
      if (error) throw error;
    });
  }

  it('a history that the interpreter cannot have made is refused', async () => {
    const { history, ...rest } = read('chain.json');
    const events = history.events?.map((event) =>
      event.activityTaskScheduledEventAttributes
        ? { ...event, activityTaskScheduledEventAttributes: { ...event.activityTaskScheduledEventAttributes, activityType: { name: 'other' } } }
        : event,
    );
    const [error] = await replay('index', [{ ...rest, history: { events } as History }]);
    assert.match(String(error), /Nondeterminism/);
  });
});
