import { join } from 'node:path';
import { convergeResources, planResources, type ResourceDeployment } from '../../../cli/converge-resources.ts';
import { describeResource, describeResourceResult } from '../../../cli/view/resource-changes.ts';
import { ResourceCompiler } from '../../../compiler/compile-resources.ts';
import { compileResources } from '../../../compiler/project-resources.ts';
import { projectOf } from '../../../compiler/read/project.ts';
import { connectionsFrom } from '../../../connections/connections.ts';
import { taskQueueOf } from '../../../lib/environment.ts';
import { createKafka } from '../../../lib/kafka/client.ts';
import { loadProject } from '../../../project/load-project.ts';
import type { ResourceChange } from '../../../resources/run/compare.ts';
import { type TourGuide, waited } from '../tour.ts';
import type { IntegrationStop } from './integration-stop.ts';

const TOPIC = 'product-updates';
/** Nothing is deleted or taken over. */
const OPTIONS = { prune: false, adopt: false } as const;
/** The types of resources that the parts of this stop serve. */
const TYPES: ReadonlySet<string> = new Set(['kafka_topic', 'schema_subject', 'rabbitmq_exchange', 'rabbitmq_queue', 's3_bucket']);

/** Topics, queues and buckets that the project declares: a change by hand is shown, and converges. */
export const declaredResources: IntegrationStop = {
  title: 'A topic that was changed by hand is shown by sluice plan, and sluice apply makes it as declared',
  parts: ['kafka', 'schema-registry', 'rabbitmq', 's3'],
  prepare({ SLUICE_CONN_KAFKA_DEFAULT: brokers = '', SLUICE_SCHEMA_REGISTRY: registry }) {
    const withRegistry =
      registry === undefined || brokers.includes('?') ? brokers : `${brokers}?schema_registry=${encodeURIComponent(registry)}`;
    return Promise.resolve({ SLUICE_CONN_KAFKA_DEFAULT: withRegistry });
  },
  async show(guide) {
    const { environment, client, say } = guide;
    const project = await loadProject(environment);
    const deployment: ResourceDeployment = { client, taskQueue: taskQueueOf(environment), project, environment };
    const folder = join(project.root, 'resources');
    const declared = await compileResources([folder], projectOf(folder), new ResourceCompiler(project.resources), {});
    const plan = async (): Promise<readonly ResourceChange[]> =>
      (await planResources(deployment, declared, OPTIONS)).filter(({ type }) => TYPES.has(type));
    const applied = await waited(guide, 'The scheduler', async () => {
      const changes = await plan();
      return changes.every(isSettled) ? changes : undefined;
    });
    if (!applied) throw new Error('The scheduler did not apply the resources of examples/integrations.');
    say(applied.map((change) => `  ${describeResource(change)}`).join('\n'));
    await changeByHand(guide);
    say(`  An operator sets retention.ms of ${TOPIC} to one hour. sluice plan:`);
    // The scheduler, which looks once a minute, may be faster.
    for (const change of await plan()) if (change.action !== 'unchanged') say(indented(describeResource(change)));
    say('  sluice apply:');
    for (const result of await convergeResources(deployment, declared, OPTIONS))
      if (TYPES.has(result.change.type)) say(indented(describeResourceResult(result)));
    if (!(await plan()).every(isSettled)) throw new Error('The resources are not as declared after sluice apply.');
  },
};

/** As declared, or different for a reason that is shown, such as a queue of an earlier start that was made without its declaration. */
function isSettled({ action, withheld }: ResourceChange): boolean {
  return action === 'unchanged' || (action === 'update' && withheld !== undefined);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}

async function changeByHand({ environment }: TourGuide): Promise<void> {
  const kafka = connectionsFrom(environment).get('kafka_default', ['kafka']);
  const admin = createKafka(kafka, 'sluice-demo').admin();
  await admin.connect();
  try {
    const changed = { 'cleanup.policy': 'compact', 'retention.ms': '3600000' };
    const configEntries = Object.entries(changed).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC_RESOURCE, name: TOPIC, configEntries }] });
  } finally {
    await admin.disconnect();
  }
}

/** kafkajs' ConfigResourceTypes.TOPIC. */
const TOPIC_RESOURCE = 2;
