import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Column, DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import { type CsvRow, objectNames, putDataset, readDataset } from '../support/s3-dataset.ts';
import { startSparkAttempt } from '../support/spark-attempt.ts';
import { sparkSetting } from '../support/spark-setting.ts';

const SOURCE: readonly Column[] = [
  { name: 'category_id', type: 'bigint' },
  { name: 'parent_category_id', type: 'bigint' },
  { name: 'category_name', type: 'text' },
  { name: 'description', type: 'text' },
  { name: 'commission_rate', type: 'numeric(6,4)' },
  { name: 'is_active', type: 'boolean' },
  { name: 'updated_at', type: 'timestamp with time zone' },
];
const AT = '2024-01-01 00:00:00.123456+00';

/** [id, parent, root, level, path]; a name is the id with a letter. */
type Case = readonly [id: number, parent: number | null, root: number, level: number, path: string];
const name = (id: number): string => `n${id}`;
const CASES: readonly Case[] = [
  [1, null, 1, 1, 'n1'],
  [2, 1, 1, 2, 'n1 > n2'],
  [3, 2, 1, 3, 'n1 > n2 > n3'],
  // An orphan and its child.
  [10, 999_999, 10, 1, 'n10'],
  [11, 10, 10, 2, 'n10 > n11'],
  // Its own parent.
  [20, 20, 20, 1, 'n20'],
  [21, 20, 20, 2, 'n20 > n21'],
  // A cycle 32 → 30 → 31 → 32, entered from a branch whose ids are smaller than the cycle's.
  [30, 31, 30, 1, 'n30'],
  [31, 32, 30, 3, 'n30 > n32 > n31'],
  [32, 30, 30, 2, 'n30 > n32'],
  [5, 31, 30, 4, 'n30 > n32 > n31 > n5'],
  [4, 5, 30, 5, 'n30 > n32 > n31 > n5 > n4'],
  // A chain that is deeper than the usual climb.
  ...Array.from({ length: 150 }, (_, at): Case => {
    const path = Array.from({ length: at + 1 }, (__, above) => name(1000 + above)).join(' > ');
    return [1000 + at, at === 0 ? null : 999 + at, 1000, at + 1, path];
  }),
];

describe('jobs/category_transformer.py', function () {
  this.timeout(240_000);
  const setting = sparkSetting(fileURLToPath(new URL('../../jobs', import.meta.url)));

  it('places trees, orphans, cycles and deep chains', async () => {
    const { environment, s3, bucket } = setting;
    const rows = CASES.map(([id, parent]): CsvRow => {
      return [String(id), parent === null ? null : String(parent), name(id), id % 2 ? null : '', id % 3 ? null : '0.1500', 't', AT];
    });
    const input = await putDataset(s3, `s3://${bucket}/in/`, SOURCE, rows);
    const output = `s3://${bucket}/dim/transform/20240101T000000Z/`;
    const attempt = startSparkAttempt({
      environment,
      workflowId: 'transform',
      input: { params: { job_name: 'category_transformer' }, input, output },
    });
    const reference = (await attempt.result) as unknown as DatasetReference;
    const expected = CASES.map(([id, parent, root, level, path]) => [
      ...[String(id), name(id), id % 2 ? null : '', parent === null ? null : String(parent), String(root), path, String(level)],
      ...[id % 3 ? null : '0.1500', 'true', '2024-01-01 00:00:00.123456Z'],
    ]).sort((a, b) => Number(a[0]) - Number(b[0]));
    // In the order of the files: the rows are sorted.
    assert.deepEqual(await readDataset(s3, output), expected);
    assert.equal(reference.rows, CASES.length);
    assert.deepEqual(
      reference.schema.map((column) => `${column.name} ${column.type}`),
      [
        ...['category_id bigint', 'category_name text', 'description text', 'parent_category_id bigint', 'root_category_id bigint'],
        ...['category_path text', 'category_level integer', 'commission_rate numeric(6,4)', 'is_active boolean'],
        'updated_at timestamp with time zone',
      ],
    );
    const others = (await objectNames(s3, output)).filter((each) => !/^run-[0-9a-f]{12}\/part-[^/]*\.csv\.gz$/.test(each));
    assert.deepEqual(others, ['manifest.json']);
    // 10, 20 and 30 are roots because of what is wrong with the data.
    assert.ok(attempt.log.some((line) => line.includes('3 categories have a parent that is missing or that leads back to them')));
  });
});
