import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'mocha';
import { connectionsFrom } from '../../connections/connections.ts';
import { rabbitmqQueue } from '../../resources/rabbitmq-queue.ts';
import { testStack } from '../support/test-stack.ts';

describe('a declared quorum queue', function () {
  this.timeout('10m');

  it('is deleted when it is empty: RabbitMQ refuses conditions for it', async () => {
    const { environment } = await testStack(['rabbitmq']);
    const connection = connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']);
    const server = await rabbitmqQueue.open(connection, new AbortController().signal);
    const name = `quorum-${randomUUID()}`;
    await server.create(name, { queue_type: 'quorum' }, {});
    assert.deepEqual(await server.read(name, {}), { durable: true, 'arguments.x-queue-type': 'quorum' });
    assert.equal(await server.contents(name), undefined);
    await server.delete(name);
    assert.equal(await server.read(name, {}), undefined);
  });
});
