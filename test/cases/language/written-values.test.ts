import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Diagnostic } from '../../../compiler/mistakes/diagnostic.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { resolveRunParams } from '../../../workflows/plan/runs/run-params.ts';
import { compiler } from '../../support/compiler.ts';

const EMPTY = 'tasks: [{name: a, type: empty}]';

function compile(...lines: readonly string[]): { plan: Plan | undefined; diagnostics: readonly Diagnostic[] } {
  const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text: ['dag_id: x', ...lines].join('\n') });
  return { plan, diagnostics };
}

function assertMistake(lines: readonly string[], expected: RegExp, hint?: string): void {
  const { diagnostics } = compile(...lines);
  assert.equal(diagnostics.length, 1, JSON.stringify(diagnostics, undefined, 1));
  assert.match(`${diagnostics[0]?.code} ${diagnostics[0]?.message}`, expected);
  if (hint !== undefined) assert.ok(diagnostics[0]?.hint?.includes(hint), diagnostics[0]?.hint);
}

describe('days that do not exist', () => {
  const PLACES: Readonly<Record<string, (day: string) => readonly string[]>> = {
    start_date: (day) => ['schedule_interval: "@daily"', `start_date: ${day}`, EMPTY],
    end_date: (day) => ['schedule_interval: "@daily"', `end_date: ${day}`, EMPTY],
    calendar: (day) => [`schedule: {cron: "0 0 * * *", calendar: {exclude: [${day}]}}`, EMPTY],
    'a bare default': (day) => [`params: {day: ${day}}`, EMPTY],
    'a default with a format': (day) => [`params: {day: {type: string, format: date, default: ${day}}}`, EMPTY],
    'an expression': (day) => [`tasks: [{name: a, type: empty, when: 'dayOfWeek("${day}") == 1'}]`],
  };
  for (const [place, lines] of Object.entries(PLACES)) {
    it(`are refused in ${place}`, () => {
      for (const day of ['2024-02-30', '2023-02-29', '2024-06-31', '2024-13-01', '2024-00-10'])
        assertMistake(lines(day), /^SL(205|503) .*(not have|not exist|not a date|no such day)/);
      for (const day of ['2024-02-29', '2000-02-29', '2024-12-31']) assert.ok(compile(...lines(day)).plan, day);
    });
  }

  it('are refused where a task waits for a time', () => {
    for (const time of ['2024-02-30T06:00:00Z', '24:00', '25:30', '6am', '2024-05-01'])
      assertMistake(['tasks: [{name: a, type: wait_until, time: "' + time + '"}, {name: b, type: empty}]'], /^SL208 'time' is /);
    assertMistake(
      ['tasks: [{name: a, type: wait_until, time: 90s}, {name: b, type: empty}]'],
      /^SL208 /,
      '{{ addMinutes(data_interval_end, 2) }}',
    );
    for (const time of ['06:00', '6:00', '23:59:59', '2024-02-29T06:00:00+01:00', '{{ addHours(data_interval_end, 2) }}'])
      assert.deepEqual(compile(`tasks: [{name: a, type: wait_until, time: "${time}"}, {name: b, type: empty}]`).diagnostics, []);
  });

  it('are refused in times too', () => {
    for (const time of ['2024-02-30T06:00', '2024-01-31T24:00', '2024-01-31T06:60', '"2024-01-31 25:00:00"']) {
      assertMistake(['schedule_interval: "@daily"', `start_date: ${time}`, EMPTY], /^SL205/);
    }
  });

  it('are refused when a run is given one', () => {
    const { plan } = compile('params: {day: {type: string, format: date}, at: {type: string, format: date-time}}', EMPTY);
    assert.ok(plan);
    assert.equal(resolveRunParams(plan, { day: '2024-02-30', at: '2024-02-30T00:00:00Z' }).mistakes.length, 2);
    assert.deepEqual(resolveRunParams(plan, { day: '2024-02-29', at: '2024-02-29T00:00:00.5+01:00' }).mistakes, []);
  });
});

describe('what is written is kept, or it is reported', () => {
  it('defaults that begin with a zero are text', () => {
    const { plan, diagnostics } = compile('params: {postal: 02142, nine: 009, agent: 007, none: 0, below: 0.5, n: 10}', EMPTY);
    assert.deepEqual(diagnostics, []);
    const defaults = Object.entries(plan?.params ?? {}).map(([name, each]) => [name, each.default, each.schema.type]);
    assert.deepEqual(defaults, [
      ['postal', '02142', 'string'],
      ['nine', '009', 'string'],
      ['agent', '007', 'string'],
      ['none', 0, 'integer'],
      ['below', 0.5, 'number'],
      ['n', 10, 'integer'],
    ]);
  });

  for (const text of ['1.10', '2.0', '12e4', '0x1F', '.5', '+49']) {
    it(`the bare default ${text} is reported`, () => {
      assertMistake([`params: {ver: ${text}}`, EMPTY], /^SL210 `.*` is read as the number/, `"${text}"`);
      assert.ok(compile(`params: {ver: "${text}"}`, EMPTY).plan);
      assert.ok(compile(`params: {ver: {type: number, default: ${text}}}`, EMPTY).plan);
    });
  }

  for (const [line, text] of [
    ['params: {v: {default: 1.10}}', '1.10'],
    ['params: {v: {type: array, default: [3.9, 3.10]}}', '3.10'],
    ['params: {v: {type: object, default: {version: 2.0}}}', '2.0'],
    ['params: {v: {type: object, properties: {n: {type: number}}, default: {n: 1.50, version: 2.0}}}', '2.0'],
    ['params: {v: {enum: [1.9, 1.10], default: 1.9}}', '1.10'],
  ] as const) {
    it(`a number that loses its text is reported in ${line}`, () =>
      assertMistake([line, EMPTY], new RegExp(`^SL210 \`${text}\` is read as the number`), `"${text}"`));
  }

  for (const [given, text] of [
    ['1.10', '1.10'],
    ['007', '007'],
  ]) {
    it(`a number that loses its text is reported where a run is given ${given}, once`, () => {
      for (const schema of ['{}', 'x']) {
        const parent = `dag_id: p\ntasks: [{name: r, type: run_pipeline, dag_id: c, params: {v: ${given}}}]`;
        const { diagnostics = [] } =
          compiler.compileAll([
            { file: 'p.yaml', text: parent },
            { file: 'c.yaml', text: `dag_id: c\nparams: {v: ${schema}}\n${EMPTY}` },
          ])[0] ?? {};
        assert.equal(diagnostics.length, 1, JSON.stringify(diagnostics));
        assert.ok(diagnostics[0]?.hint?.includes(`"${text}"`), JSON.stringify(diagnostics));
      }
    });
  }

  it('an item that loses its text is reported', () =>
    assertMistake(
      ['tasks: [{name: a, type: http, path: "/{{ item }}", expand: {over: [3.9, 3.10]}}]'],
      /^SL210 `3\.10` is read as the number 3\.1/,
      '"3.10"',
    ));

  it('numbers are written in any way where a schema says that they are numbers', () => {
    for (const line of [
      'params: {v: {type: number, default: 1.10}}',
      'params: {v: {type: array, items: {type: number}, default: [1.10, 2.0]}}',
      'params: {v: {type: object, properties: {n: {type: [number, "null"]}}, default: {n: 1.50}}}',
      'params: {v: {type: number, enum: [1.10, 2.0], default: 2.0}}',
    ])
      assert.deepEqual(compile(line, EMPTY).diagnostics, [], line);
  });

  it('zeros that are lost elsewhere are reported', () => {
    assertMistake(
      ['tasks: [{name: a, type: empty, expand: {over: [007, 008]}}]'].map((line) => line.replace(', 008', '')),
      /^SL210/,
      '"007"',
    );
    assertMistake(['params: {v: {type: string, default: 02142}}', EMPTY], /^SL210/, '"02142"');
    assertMistake(
      [
        'params: {v: "1"}',
        'tasks:',
        '  - {name: a, type: empty, depends_on: [], switch: {on: params.v, cases: {1.10: [b]}}}',
        '  - {name: b, type: empty, depends_on: [a]}',
      ],
      /^SL210 The key/,
      '"1.10"',
    );
  });

  it('hints have the text of the file', () => {
    assertMistake(['tasks: [{name: a, type: notify, to: slack, message: 007}]'], /^SL203 .*'007'/, 'put it in quotes: "007"');
    assertMistake(['params: {v: {type: string, default: 1.10}}', EMPTY], /^SL503/, '"1.10"');
    assertMistake(['tasks: [{name: a, type: empty, retries: "03"}]'], /^SL203/);
    assert.equal(compile('tasks: [{name: a, type: empty, retries: "03"}]').diagnostics[0]?.hint, undefined);
  });
});
