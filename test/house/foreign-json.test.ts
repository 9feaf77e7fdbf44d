import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';

/** Rooms in which what others have written arrives. */
const ROOMS = ['sensors', 'activities', 'channels', 'connections', 'lib', 'compiler'];

/** What is read with JavaScript's numbers, and why it may be: nobody's data is in it. */
const OWN_JSON: Readonly<Record<string, string>> = {
  'activities/support/dataset/read-manifest.ts': 'manifests, which Sluice writes',
  'activities/support/models/job-files.ts': 'metrics, which are doubles',
  'activities/support/models/mlflow/mlflow-registry.ts': 'tags that Sluice writes',
  'activities/support/models/mlflow/mlflow-champion-log.ts': 'tags that Sluice writes',
  'activities/support/models/model-files.ts': 'a list that Sluice writes, by its checksum',
  'activities/support/models/registry-files.ts': 'files that Sluice writes',
  'activities/support/models/s3-champion-log.ts': 'names and dates',
  'activities/reconcile/rows/bag-differences.ts': 'texts of its own',
  'activities/spark/dataset-result.ts': 'the schema in a manifest',
  'activities/spark/detached-process.ts': 'files that Sluice writes',
  'activities/spark/state-folder.ts': 'files that Sluice writes',
  'connections/parse.ts': 'connections',
  'compiler/read/project.ts': 'the name in a package.json',
  'lib/environment.ts': 'settings',
  'lib/kafka/decode-record.ts': 'reads numbers exactly when somebody looks at them',
  'lib/kafka/decoding/avro-reader.ts': 'schemas',
  'lib/kafka/decoding/json-schema-reader.ts': 'schemas, and what is checked of a record; its numbers are read exactly',
  'sensors/temporal/watch-datasets.ts': 'a cursor of its own',
};

describe('JSON of others', () => {
  it('is read with parseExactJson, which keeps numbers what they are', () => {
    const found = ROOMS.flatMap((room) =>
      readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(room, file)),
    ).filter((file) => /\bJSON\.parse\(|\.json\(\)/.test(readFileSync(join(ROOT, file), 'utf8')));
    assert.deepEqual(
      found.filter((file) => !Object.hasOwn(OWN_JSON, file)),
      [],
      'parse foreign data with parseExactJson (workflows/plan/values/exact-json.ts), or say in this file why its numbers are doubles',
    );
    for (const file of Object.keys(OWN_JSON)) assert.ok(found.includes(file), `${file} reads no JSON any more: take it off the list`);
  });
});
