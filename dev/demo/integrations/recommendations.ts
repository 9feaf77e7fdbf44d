import { randomUUID } from 'node:crypto';
import { taskQueueOf } from '../../../lib/environment.ts';
import { listRuns } from '../../../temporal/runs/runs.ts';
import { listSensors } from '../../../temporal/sensors/sensors.ts';
import { sensorId } from '../../../workflows/plan/sensor.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { createProgress } from '../../../lib/progress.ts';
import { servicePython } from '../../servers/service-python.ts';
import { createTopics, produce } from '../topics.ts';
import { type TourGuide, waited } from '../tour.ts';
import { RECOMMENDATIONS, startService } from './service-process.ts';
import type { IntegrationStop } from './integration-stop.ts';

const PIPELINE = 'recommendations_on_activity';
const SENSOR = sensorId(PIPELINE, 'user_activity');

/** The FastAPI service, called by a pipeline for each action of a user. */
export const recommendations: IntegrationStop = {
  title: 'A user views a product, and a FastAPI service recommends others within half a second',
  parts: ['kafka'],
  async prepare(settings, onStop) {
    await createTopics(settings);
    const key = randomUUID();
    const service = await startService(await fetchPython(), RECOMMENDATIONS, { API_KEYS: key });
    onStop(() => service.close());
    return { SLUICE_CONN_RECOMMENDATION_SERVICE: `${service.url}/?token=${key}&rate_limit=1000/m` };
  },
  async show(guide) {
    const { client, environment, say } = guide;
    const listens = await waited(guide, 'The sensor', async () =>
      (await listSensors(client, taskQueueOf(environment))).find(({ id, state }) => id === SENSOR && (state?.reports.length ?? 0) > 0),
    );
    if (!listens) throw new Error('The sensor of recommendations_on_activity did not start.');
    // The first run of a worker is slow.
    await react(guide, '89101');
    const { milliseconds, items } = await react(guide, '89205');
    say(`  ${milliseconds} ms after the event the service has recommended ${items.join(', ')}.`);
  },
};

async function fetchPython(): Promise<string> {
  const step = createProgress().step('FastAPI');
  const python = await servicePython(process.env, (text) => step.update(text));
  step.done();
  return python;
}

/** Publishes a view of a product and waits for the recommendations that follow it. @throws Error when there are none */
async function react(guide: TourGuide, product: string): Promise<{ milliseconds: number; items: readonly string[] }> {
  const { client, environment, follow } = guide;
  const before = new Set((await listRuns(client, 100, PIPELINE)).map(({ pipelineRunId }) => pipelineRunId));
  const timestamp = new Date().toISOString();
  await produce(environment, 'user-activity', { event_type: 'product_view', user_id: '12345', product_id: product, timestamp });
  const sentAt = Date.now();
  const run = await waited(guide, `The view of product ${product}`, async () =>
    (await listRuns(client, 100, PIPELINE)).find(({ pipelineRunId }) => !before.has(pipelineRunId)),
  );
  if (!run) throw new Error('The event did not start a run.');
  const { tasks } = await follow(run);
  const { closeTime } = await client.workflow.getHandle(run.pipelineRunId).describe();
  const answer = tasks.find(({ task }) => task === 'recommend')?.output as { readonly body: JsonObject } | undefined;
  if (!answer || !closeTime) throw new Error('The service did not recommend anything.');
  const items = (answer.body.items as readonly { readonly product_id: string }[]).map(({ product_id: id }) => id);
  return { milliseconds: closeTime.getTime() - sentAt, items };
}
