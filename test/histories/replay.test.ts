import { readdirSync, readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { describe, it } from 'mocha';
import { dataConverterFrom } from '../../temporal/codec/codec.ts';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';
import { INCIDENT_WORKFLOW, MONITOR_WORKFLOW } from '../../workflows/plan/incidents/incident.ts';

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.json'));

describe('histories of earlier releases replay on the interpreter as it is now', () => {
  it('are there', () => assert.ok(files.length >= 6));

  for (const file of files) {
    it(file, async () => {
      const { pipelineRunId, history } = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as { pipelineRunId: string; history: unknown };
      const started = historyFromJSON(history).events?.[0]?.workflowExecutionStartedEventAttributes;
      const entry = [INCIDENT_WORKFLOW, MONITOR_WORKFLOW].includes(started?.workflowType?.name ?? '') ? 'monitors' : 'index';
      await Worker.runReplayHistory({ workflowBundle: await workflowBundle(entry), dataConverter: dataConverterFrom({}) }, historyFromJSON(history), pipelineRunId);
    });
  }
});
