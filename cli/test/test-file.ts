import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { readPipelineFile } from '../../compiler/read/load-pipelines.ts';
import { parse } from '../../compiler/read/parse.ts';
import { Source } from '../../compiler/read/source.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { TASK_STATES } from '../../workflows/plan/tasks/task-state.ts';
import { CommandError } from '../command-context.ts';

/** The result of a task in a test. A task that is not named succeeds with a generated output. */
export interface DeclaredTask {
  readonly output?: Json;
  /** The number of failed attempts, or always. */
  readonly fail?: string;
  readonly type?: string;
  readonly times?: number;
  readonly takes?: string;
  /** For an approval: the decision, who makes it, and after how long. */
  readonly decision?: 'approve' | 'reject';
  readonly by?: string;
  readonly form?: JsonObject;
  readonly after?: string;
}

/** One case of a test file. */
export interface TestCase {
  readonly name: string;
  readonly params?: JsonObject;
  /** The content of the event that started the run. */
  readonly event?: JsonObject;
  readonly logical_date?: string;
  readonly cancel_after?: string;
  /** Results of a real run: the output of `sluice show <run> -o json`, as a path relative to the test file. */
  readonly recorded?: string;
  readonly tasks?: Readonly<Record<string, DeclaredTask>>;
  readonly connections?: JsonObject;
  readonly expect: {
    readonly state?: 'success' | 'failed' | 'canceled';
    readonly tasks?: Readonly<Record<string, string>>;
    readonly outputs?: Readonly<Record<string, Json>>;
    readonly attempts?: Readonly<Record<string, number>>;
    readonly takes_at_most?: string;
  };
}

/** A test file: a pipeline and its cases. */
export interface TestFile {
  readonly pipeline: string;
  readonly cases: readonly TestCase[];
}

const duration = { type: 'string', format: 'duration' };
const map = { type: 'object' };

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline', 'cases'],
  properties: {
    pipeline: { type: 'string' },
    cases: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'expect'],
        properties: {
          name: { type: 'string' },
          params: map,
          event: map,
          logical_date: { type: 'string' },
          cancel_after: duration,
          recorded: { type: 'string' },
          connections: map,
          tasks: {
            type: 'object',
            additionalProperties: {
              type: 'object',
              additionalProperties: false,
              properties: {
                output: {},
                fail: { type: 'string' },
                type: { type: 'string' },
                times: { type: 'integer', minimum: 1 },
                takes: duration,
                decision: { enum: ['approve', 'reject'] },
                by: { type: 'string' },
                form: map,
                after: duration,
              },
            },
          },
          expect: {
            type: 'object',
            additionalProperties: false,
            minProperties: 1,
            properties: {
              state: { enum: ['success', 'failed', 'canceled'] },
              tasks: { type: 'object', additionalProperties: { enum: TASK_STATES } },
              outputs: map,
              attempts: { type: 'object', additionalProperties: { type: 'integer' } },
              takes_at_most: duration,
            },
          },
        },
      },
    },
  },
};

/**
 * Reads a test file.
 * @throws CommandError with the place of the mistake
 */
export async function readTestFile(file: string): Promise<TestFile> {
  const { text, refused } = await readPipelineFile(file, dirname(file));
  if (refused) throw new CommandError(`${file}: ${refused.message}`);
  const source = new Source(file, text);
  const value = source.isolate(() => parse(source));
  if (!value)
    throw new CommandError(source.diagnostics.map(({ line, column, message }) => `${file}:${line}:${column}  ${message}`).join('\n'));
  const ajv = new Ajv({ allErrors: true, formats: { duration: (each: string) => parseDuration(each) !== undefined } });
  if (ajv.validate<TestFile>(SCHEMA, value)) return value;
  const mistakes = (ajv.errors ?? []).map(({ instancePath, message, params }) => {
    const path = instancePath.split('/').slice(1);
    const { line, column } = source.placeOf(path);
    const key = (params as { additionalProperty?: string }).additionalProperty;
    return `${file}:${line}:${column}  ${path.join('.') || 'the file'} ${message}${key === undefined ? '' : `: '${key}'`}`;
  });
  throw new CommandError(mistakes.join('\n'));
}

/** The tasks of a run as `sluice show -o json` prints them, by name. */
export async function readRecorded(testFile: string, recorded: string): Promise<Record<string, DeclaredTask>> {
  const text = await readFile(join(dirname(testFile), recorded), 'utf8').catch(() => {
    throw new CommandError(
      `${testFile}: '${recorded}' does not exist next to it. Create it with \`sluice show <run> -o json > ${recorded}\`.`,
    );
  });
  const { tasks } = parseExactJson(text) as unknown as {
    tasks: readonly { task: string; state: string; output?: Json; error?: string }[];
  };
  return Object.fromEntries(
    tasks.map(({ task, state, output, error }): [string, DeclaredTask] => [
      task,
      state === 'failed' ? { fail: error ?? 'failed' } : { ...(output !== undefined && { output }) },
    ]),
  );
}
