import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { loadDriver } from '../../lib/driver.ts';
import { mysqlFailure } from '../../activities/support/sql/mysql-failure.ts';
import { rabbitmqFailure } from '../../activities/rabbitmq/rabbitmq-failure.ts';

const MISSING = 'no-such-driver-of-sluice';
const load = (): Promise<unknown> => loadDriver(MISSING, 'Connections of a test', () => import(`${MISSING}/promise`));

describe('a driver that is installed separately', () => {
  it('is named with the command that installs it where it is missing', async () => {
    await assert.rejects(load(), {
      name: 'DriverMissing',
      message: `Connections of a test need the npm package '${MISSING}', which is not installed here. Install it: npm install ${MISSING}`,
    });
  });

  it('fails with its own errors otherwise', async () => {
    const broken = new Error('the native part of the driver is missing');
    await assert.rejects(
      loadDriver('driver', 'Connections of a test', () => Promise.reject(broken)),
      broken,
    );
    const other = (): Promise<unknown> => import(MISSING);
    await assert.rejects(loadDriver('driver', 'Connections of a test', other), { code: 'ERR_MODULE_NOT_FOUND' });
  });

  it('is not reported as a server that cannot be reached', async () => {
    const error = await load().catch((reason: unknown) => reason);
    const place = { connection: 'mysql_default', server: 'db:3306/shop', user: 'sluice' };
    assert.equal(mysqlFailure(error, place, 'compare orders'), error);
    const rabbitmq = { type: 'rabbitmq', host: 'mq', port: 5672, user: 'a', password: 'b', vhost: '/', tls: false } as const;
    assert.equal(rabbitmqFailure(error, rabbitmq, 'orders'), error);
  });
});
