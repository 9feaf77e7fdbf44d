import { connectionsFrom } from '../../connections/connections.ts';
import { loadEnvironment } from '../../lib/environment.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { setOffsets } from '../../lib/kafka/set-offsets.ts';

/** Commits offset 0 of a topic repeatedly until it is killed: `offset-mover.ts <group> <topic>`. */
const [group = '', topic = ''] = process.argv.slice(2);
const kafka = createKafka(connectionsFrom(loadEnvironment()).get('kafka_default', ['kafka']), 'sluice-test');
for (;;) await setOffsets(kafka, group, topic, [{ partition: 0, offset: '0' }]);
