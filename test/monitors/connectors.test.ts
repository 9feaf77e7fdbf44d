import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ConnectorState, ConnectorStatus } from '../../lib/kafka-connect/connector.ts';
import { runCheckCycle } from '../../monitors/check-cycle.ts';
import type { WatchedConnector } from '../../monitors/connectors/watched-connector.ts';
import type { ConnectorServers } from '../../monitors/connectors/connector-servers.ts';
import { DEFAULT_MONITOR_SETTINGS, type MonitorMemory, type Observation } from '../../workflows/plan/incidents/incident.ts';
import { noFacts } from '../support/no-facts.ts';

const BEGIN = Date.parse('2024-01-02T03:00:00Z');
const PRODUCTS: WatchedConnector = { connId: 'connect', name: 'products', restart: { attempts: 3, backoffMs: 20_000 } };
const KEY = 'connect/q/connect/products';
const TRACE = 'org.apache.kafka.connect.errors.ConnectException: stopped\nCaused by: java.sql.SQLException: Access denied';

/** A deployment of one connector, which is checked every ten seconds. */
class Deployment implements ConnectorServers {
  reported: string[] = [];
  observations: Observation[] = [];
  restarts: number[] = [];
  declared: readonly WatchedConnector[] = [PRODUCTS];
  /** The state of its task; undefined: the connector does not exist. */
  task: ConnectorState | undefined = 'RUNNING';
  /** The state of the connector itself. */
  connector: ConnectorState = 'RUNNING';
  answers = true;
  /** Whether the record of declared connectors can be read. */
  isRead = true;
  /** Whether Kafka Connect refuses restarts. */
  refuses = false;
  /** What a restart leads to. */
  restarted: ConnectorState = 'FAILED';
  private memory: MonitorMemory = { open: {}, since: {} };
  private second = 0;

  statuses = (): Promise<ReadonlyMap<string, ConnectorStatus>> => {
    if (!this.answers) return Promise.reject(new Error('Kafka Connect at http://c does not answer'));
    if (this.task === undefined) return Promise.resolve(new Map());
    const part = (state: ConnectorState) => ({ state, worker: 'w:1', ...(state === 'FAILED' && { trace: TRACE }) });
    const status: ConnectorStatus = {
      name: 'products',
      type: 'source',
      connector: part(this.connector),
      tasks: [{ id: 0, ...part(this.task) }],
    };
    return Promise.resolve(new Map(this.declared.map(({ name }) => [name, { ...status, name }])));
  };

  restart = (): Promise<void> => {
    this.restarts.push(this.second);
    if (this.refuses) return Promise.reject(new Error('You may not do this'));
    this.task = this.connector = this.restarted;
    return Promise.resolve();
  };

  /** Checks for so many seconds. @returns what the incidents observed meanwhile */
  async after(seconds: number): Promise<string[]> {
    this.reported = [];
    const facts = {
      ...noFacts,
      connectors: () =>
        Promise.resolve(
          this.isRead
            ? { found: this.declared, unchecked: new Map<string, string>() }
            : { found: [], unchecked: new Map([['connect/q', 'another key']]) },
        ),
      observe: (incident: string, observation: Observation) => {
        this.reported.push(`${observation.state} ${incident}`);
        this.observations.push(observation);
        return Promise.resolve(undefined);
      },
    };
    for (const end = this.second + seconds; this.second < end; this.second += 10) {
      const call = {
        taskQueue: 'q',
        settings: DEFAULT_MONITOR_SETTINGS,
        memory: this.memory,
        now: new Date(BEGIN + this.second * 1_000).toISOString(),
      };
      this.memory = (await runCheckCycle(call, facts, this)).memory;
    }
    return this.reported;
  }
}

describe('a check of connectors', () => {
  for (const part of ['task', 'connector'] as const) {
    it(`that finds a failed ${part}: one page, restarts with doubling pauses, resolved when it has run for as long as the last pause`, async () => {
      const shop = new Deployment();
      assert.deepEqual(await shop.after(60), []);
      shop[part] = 'FAILED';
      assert.deepEqual(await shop.after(10), [`breach ${KEY}/failed`]);
      const { page } = shop.observations[0] as Observation;
      assert.match(page.summary, /^Has failed: .*SQLException: Access denied \| connector products, since /);
      assert.deepEqual(
        [page.kind, page.severity, page.details.restarts, page.details.what_happens],
        ['connector_failed', 'error', '0 of 3', 'It is restarted at 2024-01-02T03:01:20Z.'],
      );
      assert.deepEqual(await shop.after(50), []);
      assert.deepEqual(shop.restarts, [80]);
      shop.restarted = 'RUNNING';
      assert.deepEqual(await shop.after(40), []);
      assert.deepEqual(shop.restarts, [80, 120]);
      assert.deepEqual(await shop.after(40), [`over ${KEY}/failed`]);
      shop[part] = 'FAILED';
      assert.deepEqual(await shop.after(10), [`breach ${KEY}/failed`]);
    });
  }

  it('gives up after its attempts, and the incident stays open until a person has helped', async () => {
    const shop = new Deployment();
    shop.task = 'FAILED';
    assert.deepEqual(await shop.after(3_600), [`breach ${KEY}/failed`]);
    assert.deepEqual(shop.restarts, [20, 60, 140]);
    shop.task = shop.connector = 'RUNNING';
    assert.deepEqual(await shop.after(120), [`over ${KEY}/failed`]);
  });

  it('counts a failure soon after a restart as the same one: one page, and no more restarts than allowed', async () => {
    const shop = new Deployment();
    shop.restarted = 'RUNNING';
    const reported: string[] = [];
    for (let round = 0; round < 60; round++) {
      // It always runs for one check, and then fails.
      if (shop.task === 'RUNNING') shop.task = 'FAILED';
      const earlier = shop.restarts.length;
      reported.push(...(await shop.after(10)), ...(shop.restarts.length > earlier ? await shop.after(10) : []));
    }
    assert.deepEqual(reported, [`breach ${KEY}/failed`]);
    assert.equal(shop.restarts.length, 3);
  });

  for (const [what, hide] of [
    ['has no status for a moment', (shop: Deployment) => (shop.task = undefined)],
    ['is in a record that cannot be read for a moment', (shop: Deployment) => (shop.isRead = false)],
  ] as const)
    it(`counts a failure that ${what} as the same one: one page, and no more restarts than allowed`, async () => {
      const shop = new Deployment();
      shop.task = 'FAILED';
      const reported: string[] = [];
      for (let round = 0; round < 60; round++) {
        reported.push(...(await shop.after(20)));
        hide(shop);
        reported.push(...(await shop.after(10)));
        shop.task = 'FAILED';
        shop.isRead = true;
      }
      assert.deepEqual(reported, [`breach ${KEY}/failed`]);
      assert.equal(shop.restarts.length, 3);
    });

  it('continues the restarts of a connector that fails again and again, and forgets them when it has run for an hour', async () => {
    const shop = new Deployment();
    shop.restarted = 'RUNNING';
    const reported: string[] = [];
    for (let round = 0; round < 20; round++) {
      if (shop.task === 'RUNNING') shop.task = 'FAILED';
      reported.push(...(await shop.after(180)));
    }
    const once = [`breach ${KEY}/failed`, `over ${KEY}/failed`];
    assert.deepEqual(reported, [...once, ...once, ...once, `breach ${KEY}/failed`]);
    assert.equal(shop.restarts.length, 3);
    shop.task = 'RUNNING';
    assert.deepEqual(await shop.after(3_700), [`over ${KEY}/failed`]);
    shop.task = 'FAILED';
    await shop.after(60);
    assert.equal(shop.restarts.length, 4);
  });

  it('counts a restart that is refused, and the other connectors are restarted too', async () => {
    const shop = new Deployment();
    shop.declared = ['orders', 'products'].map((name) => ({ ...PRODUCTS, name }));
    shop.task = 'FAILED';
    shop.refuses = true;
    assert.deepEqual((await shop.after(3_600)).sort(), ['breach connect/q/connect/orders/failed', `breach ${KEY}/failed`]);
    assert.deepEqual(shop.restarts, [20, 20, 60, 60, 140, 140]);
  });

  it('restarts nothing with a policy of no attempts', async () => {
    const shop = new Deployment();
    shop.declared = [{ ...PRODUCTS, restart: { attempts: 0, backoffMs: 1_000 } }];
    shop.task = 'FAILED';
    assert.deepEqual(await shop.after(600), [`breach ${KEY}/failed`]);
    assert.deepEqual(shop.restarts, []);
    assert.match(String(shop.observations[0]?.page.details.what_happens), /is not restarted/);
  });

  it('that Kafka Connect does not answer: it is unknown, which has a separate incident after a while; open ones stay open', async () => {
    const shop = new Deployment();
    shop.task = 'FAILED';
    assert.deepEqual(await shop.after(10), [`breach ${KEY}/failed`]);
    shop.answers = false;
    assert.deepEqual(await shop.after(60), []);
    assert.deepEqual(await shop.after(60), ['breach unchecked/connect/q/connect']);
    assert.match(shop.observations.at(-1)?.page.summary ?? '', /^Cannot be checked: Kafka Connect at http:\/\/c does not answer/);
    assert.deepEqual(shop.restarts, []);
    shop.answers = true;
    shop.restarted = 'RUNNING';
    assert.deepEqual(await shop.after(10), ['over unchecked/connect/q/connect']);
    assert.deepEqual(await shop.after(60), [`over ${KEY}/failed`]);
  });

  it('that is missing, or that no worker runs, for a while: one page, over when it is there again', async () => {
    const shop = new Deployment();
    shop.task = undefined;
    assert.deepEqual(await shop.after(60), []);
    assert.deepEqual(await shop.after(60), [`breach ${KEY}/missing`]);
    shop.task = 'UNASSIGNED';
    assert.deepEqual(await shop.after(60), [`over ${KEY}/missing`]);
    assert.deepEqual(await shop.after(60), [`breach ${KEY}/unassigned`]);
    shop.task = 'RUNNING';
    assert.deepEqual(await shop.after(10), [`over ${KEY}/unassigned`]);
  });

  it('that a person has paused or stopped: no page, and an open one is over', async () => {
    const shop = new Deployment();
    shop.task = shop.connector = 'PAUSED';
    assert.deepEqual(await shop.after(300), []);
    shop.task = 'FAILED';
    assert.deepEqual(await shop.after(10), [`breach ${KEY}/failed`]);
    shop.task = shop.connector = 'STOPPED';
    assert.deepEqual(await shop.after(10), [`over ${KEY}/failed`]);
  });

  it('that the deployment no longer declares: its incident is over', async () => {
    const shop = new Deployment();
    shop.task = 'FAILED';
    await shop.after(10);
    shop.declared = [];
    assert.deepEqual(await shop.after(10), [`over ${KEY}/failed`]);
  });
});
