import { join } from 'node:path';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ROOT } from '../../lib/environment.ts';
import { createBucket, type TestBucket } from './buckets.ts';
import { createYamlRuns, type YamlRuns } from './yaml-runs.ts';

/** Pipelines that train models and notify a service of the champion, on real servers. */
export interface ModelRuns {
  readonly runs: YamlRuns;
  readonly bucket: TestBucket;
  /** The storage of the models. */
  readonly store: string;
  readonly service: ModelService;
  /** The argv of the trainer or of the evaluation: see test/fixtures/models/program.mjs. */
  argv(what: 'train' | 'evaluate'): string;
  /** The champion that a service reads. */
  champion(model: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** `stale` accepts the request to load a version, but keeps serving the old one. */
export type ServiceMode = 'fine' | 'down' | 'stale';

/** A service that serves models. */
export interface ModelService {
  readonly url: string;
  /** The version of a model that the service uses. */
  served(model: string): string | undefined;
  behave(model: string, mode: ServiceMode): void;
  close(): Promise<void>;
}

/** Rows of the source table `labels` with a lower id are training data; the others are not. */
export const SEEN = 200;

/** Starts them. Close it in `after`. */
export async function createModelRuns(): Promise<ModelRuns> {
  const bucket = await createBucket();
  const service = await startService();
  const runs = await createYamlRuns({
    environment: {
      SLUICE_CONN_AWS_DEFAULT: bucket.url,
      SLUICE_CONN_SHOP: service.url,
      SLUICE_COMMANDS: process.execPath,
    },
  });
  await runs.source.rows(`CREATE TABLE labels AS SELECT id, id % 2 AS label FROM generate_series(1, ${2 * SEEN}) AS id`);
  return {
    runs,
    bucket,
    store: `s3://${bucket.name}/models`,
    service,
    argv: (what) => JSON.stringify([process.execPath, join(ROOT, 'test/fixtures/models/program.mjs'), what]),
    champion: async (model) => {
      const key = `models/${model}/aliases/champion.json`;
      if (!(await bucket.keys(key)).includes(key)) return undefined;
      return (JSON.parse(await bucket.text(key)) as { version: string }).version;
    },
    async close() {
      await runs.close();
      await service.close();
      await bucket.drop();
    },
  };
}

/** A complete retraining pipeline, as in pipelines/recommendation_model_retraining.yaml, with a fast trainer. */
export function retraining({ store, bucket, argv }: ModelRuns, model: string): string {
  // The dag_id must be unique as long as Temporal keeps its data: the bucket name is new for each test run.
  const dagId = `retrain_${model}_${bucket.name.replace(/\W/g, '_')}`;
  const keys = `model: ${model}, store: ${store}`;
  return `
dag_id: ${dagId}
params: {kind: {type: string, default: rule}, skill: {type: number, default: 0.5}, hard: {type: number, default: 0}}
max_active_runs: 1
default_args: {retries: 0}
tasks:
  - {name: seen, type: postgres_to_s3, source_table: labels, where: "id <= ${SEEN}", s3_bucket: ${bucket.name}}
  - {name: unseen, type: postgres_to_s3, source_table: labels, where: "id > ${SEEN}", s3_bucket: ${bucket.name}}
  - {name: train, type: train_model, inputs: seen, ${keys}, argv: ${argv('train')}, params: {kind: "{{ params.kind }}", skill: "{{ params.skill }}"}}
  - {name: evaluate, type: evaluate_model, inputs: unseen, ${keys}, argv: ${argv('evaluate')}, params: {hard: "{{ params.hard }}"}, metrics: [acc]}
  - {name: promote, type: promote_model, ${keys}, promote_when: metrics.acc >= champion.acc + 0.002}
  - name: reload
    type: http
    when: outputs.promote.champion_version != null
    conn_id: shop
    method: POST
    path: /${model}
    body: {version: "{{ outputs.promote.champion_version }}"}
  - {name: verify, type: http, conn_id: shop, path: /${model}, expect: {json: body.version == outputs.promote.champion_version}}
on_failure:
  - name: take_back
    type: promote_model
    when: has(outputs.promote) && outputs.promote.promoted && outputs.promote.previous != null
    ${keys.replace(', ', '\n    ')}
    version: "{{ outputs.promote.previous }}"
    instead_of: "{{ outputs.promote.version }}"
    undoes: promote
  - name: reload_last
    type: http
    when: outputs.take_back.champion_version != null
    conn_id: shop
    method: POST
    path: /${model}
    body: {version: "{{ outputs.take_back.champion_version }}"}
    undoes: reload
`;
}

/** `POST /<model>` loads a version, `GET /<model>` returns the current one. */
async function startService(): Promise<ModelService> {
  const served = new Map<string, string>();
  const modes = new Map<string, ServiceMode>();
  const server = createServer((request, response) => {
    const model = (request.url ?? '').slice(1);
    const mode = modes.get(model) ?? 'fine';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (mode === 'down') return void response.writeHead(500).end();
      const order = request.method === 'POST' ? (JSON.parse(Buffer.concat(chunks).toString()) as { version: string }) : undefined;
      if (order && mode === 'fine') served.set(model, order.version);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ version: served.get(model) ?? null }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served: (model) => served.get(model),
    behave: (model, mode) => void modes.set(model, mode),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
