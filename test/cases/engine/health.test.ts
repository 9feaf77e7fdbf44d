import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { eventually } from '../../support/eventually.ts';
import { sluice, startProcess, type TestProcess } from '../../support/processes.ts';
import { testStack } from '../../support/test-stack.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A way to a server that can be cut and mended. */
async function createLine(target: string) {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(port), host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => void (isCut = false),
    close() {
      cut();
      server.close();
    },
  };
}

describe('health pages and sluice doctor', function () {
  this.timeout('2m');
  let environment: Record<string, string>;
  const processes: TestProcess[] = [];

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
  });
  after(() => Promise.all(processes.map((each) => each.stop('SIGKILL'))));

  async function start(
    script: string,
    args: readonly string[],
    own: Record<string, string>,
  ): Promise<{ process: TestProcess; url: string }> {
    const process = startProcess(script, args, { ...environment, ...own });
    processes.push(process);
    await process.says(/http:\/\/127\.0\.0\.1:\d+\/healthz/);
    return { process, url: /http:\/\/127\.0\.0\.1:\d+/.exec(process.stderr())?.[0] ?? '' };
  }
  const statuses = async (url: string): Promise<number[]> =>
    Promise.all(['/healthz', '/readyz'].map(async (path) => (await fetch(`${url}${path}`, { signal: AbortSignal.timeout(5_000) })).status));

  for (const [name, script, args] of [
    ['worker', 'worker.ts', []],
    ['scheduler', 'scheduler.ts', ['--watch', '--pipelines']],
  ] as const) {
    it(`${name}: 503 while Temporal does not answer, 200 before and after`, async () => {
      const line = await createLine(environment.TEMPORAL_ADDRESS ?? '');
      const folder = await temporaryFolder();
      try {
        const dagId = `health_${randomUUID().slice(0, 8)}`;
        await writeFile(join(folder.path, 'a.yaml'), `dag_id: ${dagId}\nschedule_interval: null\ntasks: [{name: a, type: empty}]\n`);
        const own = { TEMPORAL_ADDRESS: line.address, SLUICE_TASK_QUEUE: `health-${randomUUID()}` };
        const { url, process } = await start(script, args.length > 0 ? [...args, folder.path] : [], own);
        await eventually(async () => assert.deepEqual(await statuses(url), [200, 200]));
        line.cut();
        const began = performance.now();
        await eventually(async () => assert.deepEqual(await statuses(url), [503, 503]));
        assert.ok(performance.now() - began < 10_000);
        assert.match(await (await fetch(`${url}/healthz`)).text(), /"healthy":false.*"temporal":"does not answer/);
        line.mend();
        await eventually(async () => assert.equal((await statuses(url))[0], 200), 30_000);
        assert.equal((await fetch(`${url}/other`)).status, 404);
        await process.stop();
      } finally {
        line.close();
        await folder.remove();
      }
    });
  }

  it('doctor and run: a worker that was killed is not counted', async () => {
    const own = { ...environment, SLUICE_TASK_QUEUE: `doctor-${randomUUID()}` };
    const { process } = await start('worker.ts', [], own);
    await process.says('ready');
    const alive = await sluice(['doctor'], own);
    assert.match(alive.stdout, /✔ workers: respond on task queue 'doctor-/);
    const folder = await temporaryFolder();
    const file = join(folder.path, 'x.yaml');
    await writeFile(file, `dag_id: doctor_${randomUUID().slice(0, 8)}\ntasks: [{name: a, type: empty}]\n`);
    const served = await sluice(['run', file, '--id', 'served'], own);
    assert.doesNotMatch(served.stderr, /No worker/);
    await process.stop('SIGKILL');
    const dead = await sluice(['doctor'], own);
    assert.match(dead.stdout, /✘ workers: no worker responds on task queue 'doctor-.*sluice worker/);
    assert.equal(dead.code, 1);
    const unserved = await sluice(['run', file, '--id', 'unserved'], own);
    assert.match(unserved.stderr, /No worker responds on task queue 'doctor-.*'\. The run waits for one: start it with `sluice worker`/);
    assert.equal(unserved.code, 0);
    await folder.remove();
  });

  it('doctor: reaches Kafka as tasks do, with TLS where the connection requires it', async () => {
    const first: number[] = [];
    const broker = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .once('data', (data) => {
          first.push(data[0] ?? 0);
          socket.destroy();
        });
    });
    await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
    const { port } = broker.address() as AddressInfo;
    const own = {
      ...environment,
      SLUICE_CONN_KAFKA_DEFAULT: `kafka://ann:secret@127.0.0.1:${port}?security_protocol=SASL_SSL&sasl_mechanism=SCRAM-SHA-512`,
    };
    const { stdout } = await sluice(['doctor'], own);
    broker.close();
    assert.match(stdout, /✘ connection kafka_default: /);
    assert.ok(first.length > 0 && first.every((byte) => byte === 0x16), `a TLS handshake begins with 0x16, not with ${first.join(', ')}`);
  });
});
