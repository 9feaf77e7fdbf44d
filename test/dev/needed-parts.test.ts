import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { neededParts } from '../../dev/needed-parts.ts';
import { BUILT_IN } from '../../project/definitions.ts';
import type { Project } from '../../project/load-project.ts';
import { compileYaml } from '../support/compile-yaml.ts';

const NONE = new Map<string, string>();
const project: Project = {
  ...BUILT_IN,
  root: '/acme',
  config: {},
  origins: { tasks: NONE, connections: NONE, triggers: NONE, channels: NONE, resources: NONE },
  revision: '',
};

const CASES: Readonly<Record<string, readonly string[]>> = {
  'tasks: [{name: a, type: empty}]': ['temporal'],
  'tasks: [{name: a, type: sql, sql: SELECT 1}]': ['temporal', 'postgres'],
  'tasks: [{name: a, type: sql, conn_id: redshift_default, sql: SELECT 1}]': ['temporal', 'postgres'],
  'tasks: [{name: a, type: sql, conn_id: warehouse, sql: SELECT 1}]': ['temporal'],
  'tasks: [{name: a, type: empty}]\non_failure: [{name: b, type: sql, sql: SELECT 1}]': ['temporal', 'postgres'],
  'tasks: [{name: a, type: empty, when: conn.postgres_default.host == "x"}]': ['temporal', 'postgres'],
  'triggers: [{name: t, type: kafka, topic: x}]\ntasks: [{name: a, type: empty}]': ['temporal', 'kafka'],
  'triggers: [{name: t, type: pipeline, dag_id: y}]\ntasks: [{name: a, type: empty}]': ['temporal'],
};

describe('`sluice dev` starts the servers that the pipelines use', () => {
  for (const [text, expected] of Object.entries(CASES)) {
    it(`${expected.join(', ')} for ${text}`, () => {
      assert.deepEqual(neededParts(project, [compileYaml(`dag_id: x\n${text}\n`)], []), expected);
    });
  }

  it('and those of declared resources', () => {
    assert.deepEqual(neededParts(project, [], [{ connId: 'rabbitmq_default' }, { connId: 'elsewhere' }]), ['temporal', 'rabbitmq']);
  });
});
