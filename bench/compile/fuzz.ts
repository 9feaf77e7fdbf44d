import fc from 'fast-check';
import { CATALOG } from '../../activities/catalog.ts';
import { type Compilation, Compiler } from '../../compiler/compile.ts';
import { TRIGGERS } from '../../sensors/catalog.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import { changedData, followHint } from './follow-hint.ts';

/** The result of a fuzzer run. */
export interface FuzzResult {
  readonly runs: number;
  readonly accepted: number;
  /** The time of the slowest document, in milliseconds. */
  readonly slowest: number;
  /** Rejected documents whose diagnostics have no place, with the reason. */
  readonly unplaced: readonly string[];
  /** Suggestions that would change the data. */
  readonly changing: readonly string[];
  /** Number of documents that became valid by following a suggestion. */
  readonly mended: number;
}

/** Suggestions that repeat a value of the file in another format. */
const REPEATED = /^(?:put it in quotes|leave the quotes out|write it as a list|as text it is)[:]? \[?(["']?)(.*?)\1\]?(?:;.*)?$/;
const SECONDS = /^write (\S+) for (\d+) seconds$/;

/** Whether following a suggestion keeps the data in its line. */
function keepsData(hint: string, line: string): boolean {
  const [, duration, seconds] = SECONDS.exec(hint) ?? [];
  if (duration !== undefined) return parseDuration(duration) === Number(seconds) * 1000 && line.includes(seconds ?? '');
  const value = REPEATED.exec(hint)?.[2];
  return value === undefined || line.includes(value) || line.includes(JSON.stringify(value));
}

/** Valid documents that together use every language feature. */
const SEEDS = [
  ...CATALOG.map(({ example }) => ({
    dag_id: 'task',
    tasks: [{ name: 'before', type: 'postgres_to_s3', source_table: 't', s3_bucket: 'raw-data' }, example],
  })),
  ...TRIGGERS.map(({ example }) => ({ dag_id: 'trigger', triggers: [example], tasks: [{ name: 'a', type: 'empty' }] })),
].map((document) => toYaml(document));

SEEDS.push(
  `dag_id: everything
schedule: {cron: "0 6 * * 1-5", timezone: Europe/Berlin, jitter: 5m, dst: {gap: shift, overlap: first}}
start_date: 2024-01-01
catchup: {mode: all, window: 7d}
params: {region: eu, days: {type: integer, minimum: 1, default: 7}, list: {type: array, default: [1, 2]}}
default_args: {retries: 2, retry_policy: [{on: QueryFailed, action: retry, delay: 5m}]}
sla: [{name: in_time, within: 2h, warn_at: 80%}, {name: agree, assert: outputs.a.rows > 0}]
tasks:
  - {name: a, type: postgres_to_s3, query: "SELECT * FROM t WHERE day = {{ ds }} AND r = '{{ params.region }}'", s3_bucket: raw-data}
  - {name: s, type: empty, depends_on: [a], switch: {on: params.region, cases: {eu: [b], us: [c]}, default: [c]}}
  - {name: b, type: empty, when: "outputs.a.rows > params.days && [1, 2].exists(x, x == 2)"}
  - {name: c, type: http, path: "/x/{{ item.id }}", expand: {over: params.list, expand: {over: "[1, 2]", as: part}}}
  - {name: j, type: empty, depends_on: [b, c], trigger_rule: none_failed_min_one_success}
on_failure: [{name: tell, type: notify, to: slack, message: "{{ dag_id }} {{ data_interval_start }}"}]
task_groups: [{name: g, depends_on: [j], tasks: [{name: x, type: empty}, {name: y, type: empty, depends_on: [x]}]}]
`,
  `dag_id: said_once
x-slow: &slow {retries: 4, execution_timeout: 1h30m}
x-many: &many {<<: *slow, pool: warehouse, retry_delay: 5m}
tasks:
  - {<<: *many, name: a, type: sql, sql: "DELETE FROM t WHERE day = {{ ds }}", retries: 1}
  - {<<: [*slow, {owner: me}], name: b, type: http, path: /x, depends_on: [a], body: {code: "007", n: 3}}
  - {name: c, type: empty, depends_on: [o], when: outputs.o.i.d.rows > 0}
task_groups: [{name: o, depends_on: [b], default_args: {retries: 2}, task_groups: [{name: i, tasks: [{name: d, type: sql, sql: SELECT 1}]}]}]
`,
);

/** Inputs that break parsers: of YAML, CEL, SQL and schemas. */
const NASTY = [
  '{{',
  '}}',
  '{{ ds }}',
  '{{ params. }}',
  '{{ outputs.a.rows + }}',
  '{{ "',
  '{{ [1,2].map(x, [1].map(y, x)) }}',
  '{{ {"a": {"b": 1}} }}',
  '{{ ds.matches("(a+)+") }}',
  '{{ 9223372036854775808 }}',
  '{{ -9223372036854775808 - 1 }}',
  '{{ 1 / 0 }}',
  '"',
  "'",
  ':',
  '- ',
  '? ',
  '&a ',
  '*a',
  '!!binary x',
  '!<tag> ',
  '|',
  '>',
  '#',
  '%YAML 1.1',
  '---',
  '...',
  '\t',
  '\r\n',
  '[',
  ']',
  '{',
  '}',
  ',',
  '[[[[[[[[',
  '{{{{{{{{',
  'null',
  '~',
  'true',
  '.inf',
  '.nan',
  '0x1F',
  '1e999',
  '9007199254740993',
  '2024-02-30',
  '007',
  '1.10',
  '3600',
  '0o17',
  '1_000',
  'a: b',
  '5 m',
  '__proto__',
  'constructor',
  'toString',
  '<<: *a',
  'dag_id: x\n',
  'tasks: []\n',
  '😀',
  '\u0000',
  '\r',
  '\u2028',
  '\u2029',
  'é',
  '\ufeff',
  '$$',
  '--',
  '/*',
  "E'",
  ';',
  '\\',
  '\\x',
  '(',
  ')',
  '&&',
  '||',
  '==',
  'in',
  'a'.repeat(5000),
  '1'.repeat(400),
  '('.repeat(200),
  '['.repeat(100),
  '- '.repeat(100),
] as const;

type Edit = readonly [kind: number, at: number, length: number, what: string];

const edit = fc.tuple(
  fc.integer({ min: 0, max: 6 }),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 0, max: 12 }),
  fc.oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 12, unit: 'binary' }), fc.string({ maxLength: 8 })),
);

/** CPU time of a call in this process, in milliseconds: independent of other load on the machine. */
function cpuTimeOf(call: () => unknown): number {
  const began = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

/** With more mistakes, no single suggestion can make a document valid. */
const MOST_FOLLOWED = 2;

/** Compiles mutated documents and expressions. @throws Error with the smallest document that fails */
export function fuzzCompiler(runs: number, seed: number): FuzzResult {
  const compiler = new Compiler(CATALOG);
  // Warm up first, so that the times do not include the first use of the code.
  for (const text of SEEDS) compiler.compile({ file: 'fuzz.yaml', text });
  let [accepted, slowest, done, mended] = [0, 0, 0, 0];
  const unplaced: string[] = [];
  const changing: string[] = [];
  fc.assert(
    fc.property(fc.constantFrom(...SEEDS), fc.array(edit, { minLength: 1, maxLength: 6 }), (document, edits) => {
      const text = edits.reduce(mutate, document);
      const began = performance.now();
      const compile = (): Compilation => compiler.compile({ file: 'fuzz.yaml', text });
      const { plan, diagnostics } = compile();
      const taken = performance.now() - began;
      if (taken > slowest) slowest = Math.max(slowest, Math.min(taken, cpuTimeOf(compile)));
      done++;
      if (plan) accepted++;
      const written = text.split('\n');
      const lines = written.length;
      for (const { hint, line } of diagnostics) {
        if (hint !== undefined && !keepsData(hint, written[line - 1] ?? '')) changing.push(`${hint}: ${written[line - 1]?.slice(0, 200)}`);
      }
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      for (const error of errors.length <= MOST_FOLLOWED ? errors : []) {
        const followed = followHint(text, error);
        if (followed === undefined || !compiler.compile({ file: 'fuzz.yaml', text: followed }).plan) continue;
        mended++;
        const changed = changedData(text, followed, error);
        if (changed !== undefined) changing.push(`${error.code} ${error.hint}: ${changed}`);
      }
      const lost = diagnostics.find(({ line, column, length }) => !(line >= 1 && line <= lines && column >= 1 && length >= 1));
      if (lost || (!plan && diagnostics.length === 0))
        unplaced.push(`${lost?.code ?? 'nothing said'}: ${JSON.stringify(text).slice(0, 300)}`);
    }),
    { numRuns: runs, seed, endOnFailure: false },
  );
  return { runs: done, accepted, slowest, unplaced, changing, mended };
}

function mutate(text: string, [kind, where, length, what]: Edit): string {
  const at = Math.floor(where * text.length);
  const lines = text.split('\n');
  const line = Math.floor(where * lines.length);
  switch (kind) {
    case 0:
      return text.slice(0, at) + what + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + length);
    case 2:
      return text.slice(0, at) + what + text.slice(at + length);
    case 3:
      return [...lines.slice(0, line), ...lines.slice(line + 1)].join('\n');
    case 4:
      return [...lines.slice(0, line + 1), lines[line] ?? '', ...lines.slice(line + 1)].join('\n');
    case 5:
      // A typing mistake.
      return text.slice(0, at) + text.slice(at + 1);
    default:
      // Replaces the value on a line, the most common kind of mistake.
      return lines.map((each, index) => (index === line ? each.replace(/: .*$/, () => `: ${what}`) : each)).join('\n');
  }
}

/** Formats a document in flow style, one line per top-level key. */
function toYaml(document: object): string {
  return `${Object.entries(document)
    .map(([key, value]) =>
      Array.isArray(value)
        ? `${key}:\n${value.map((each: unknown) => `  - ${JSON.stringify(each)}`).join('\n')}`
        : `${key}: ${JSON.stringify(value)}`,
    )
    .join('\n')}\n`;
}
