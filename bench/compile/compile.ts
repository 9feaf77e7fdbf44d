import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';
import { ROOT } from '../../lib/environment.ts';
import { type Measure, median } from '../measure.ts';
import { fuzzCompiler } from './fuzz.ts';

const FUZZ_RUNS = 100_000;
const PAIRS = 15;
/** Editors and schedulers compile repeatedly, so measure code that V8 has optimized. */
const WARM_UPS = 15;

/** Measures the cost and the robustness of compiling. Needs no server. */
export async function benchCompile(): Promise<Measure[]> {
  return [...manyPipelines(), largePipeline(), validateProcess(), ...fuzz()];
}

/**
 * Compiles ten thousand different pipelines in one process, a thousand at a time. Measures CPU time of all threads instead of wall time, so
 * that the load of the machine does not matter.
 */
function manyPipelines(): Measure[] {
  say('10,000 pipelines of three tasks');
  const compiler = new Compiler(CATALOG);
  const compileRange = (from: number, to: number): number => {
    const began = process.cpuUsage();
    for (let number = from; number < to; number++) {
      const { plan } = compiler.compile({ file: `pipeline_${number}.yaml`, text: pipeline(number) });
      if (!plan) throw new Error(`pipeline ${number} is not good`);
    }
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  compileRange(0, 1000);
  const before = heapInUse();
  const rate = 1000 / median(Array.from({ length: 10 }, (_, index) => compileRange(1000 * (index + 1), 1000 * (index + 2))));
  const growth = heapInUse() - before;
  return [
    {
      what: '10,000 pipelines of three tasks, one core',
      measured: `${rate.toFixed(0)} a CPU second`,
      wanted: '≥ 2000',
      reached: rate >= 2000,
    },
    { what: 'memory kept after them', measured: `${growth.toFixed(1)} MB`, wanted: '≤ 5 MB', reached: growth <= 5 },
  ];
}

function pipeline(number: number): string {
  return `dag_id: pipeline_${number}
description: Sales of shop ${number}
schedule_interval: "${number % 60} ${number % 24} * * *"
default_args: {retries: ${number % 5}}
tasks:
  - name: extract_${number}
    type: postgres_to_s3
    source_table: sales_${number}
    s3_bucket: raw-data
  - name: transform
    type: spark_job
    job_name: job_${number % 100}
  - name: load
    type: s3_to_redshift
    s3_bucket: transformed-data
    redshift_table: sales_${number}
`;
}

/** Megabytes in use after garbage collection. */
function heapInUse(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 1e6;
}

function largePipeline(): Measure {
  say('a pipeline of 1,000 tasks');
  const tasks = Array.from({ length: 1000 }, (_, index) => {
    const upstream = index === 0 ? '' : `t${(index - 1) >> 1}`;
    return `  - name: t${index}\n    type: empty\n    when: ds >= '2024-01-01'\n    depends_on: [${upstream}]`;
  });
  const text = `dag_id: large\ntasks:\n${tasks.join('\n')}\n`;
  const compiler = new Compiler(CATALOG);
  const taken = Array.from({ length: WARM_UPS + PAIRS }, () => {
    const began = performance.now();
    const { plan, diagnostics } = compiler.compile({ file: 'large.yaml', text });
    if (plan?.tasks.length !== 1000) throw new Error(`the large pipeline is not good: ${JSON.stringify(diagnostics[0])}`);
    return performance.now() - began;
  });
  const ms = median(taken.slice(WARM_UPS));
  return { what: 'a pipeline of 1,000 tasks with expressions', measured: `${ms.toFixed(0)} ms`, wanted: '< 100 ms', reached: ms < 100 };
}

/** Measures all of `sluice validate` on one small file, alternating with an empty Node process. */
function validateProcess(): Measure {
  say('sluice validate as a process');
  const file = join(ROOT, 'pipelines', 'product_category_etl.yaml');
  const run = (args: readonly string[]): number => {
    const began = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
    return performance.now() - began;
  };
  const validate = ['bin/sluice.mjs', 'validate', file].map((each, index) => (index === 0 ? join(ROOT, each) : each));
  run(validate);
  const pairs = Array.from({ length: PAIRS }, () => ({ nothing: run(['-e', '0']), validate: run(validate) }));
  const ms = median(pairs.map((pair) => pair.validate));
  const nothing = median(pairs.map((pair) => pair.nothing));
  return {
    what: 'sluice validate on one small file',
    measured: `${ms.toFixed(0)} ms (a Node that does nothing: ${nothing.toFixed(0)} ms)`,
    wanted: '< 300 ms',
    reached: ms < 300,
  };
}

function fuzz(): Measure[] {
  say(`${FUZZ_RUNS} mutated documents`);
  const { runs, accepted, slowest, unplaced, changing } = fuzzCompiler(FUZZ_RUNS, Date.now() % 1_000_000);
  const found = [...unplaced, ...changing];
  if (found[0] !== undefined) process.stderr.write(`${found.slice(0, 3).join('\n')}\n`);
  return [
    {
      what: 'mutated documents without a crash',
      measured: `${runs} (${accepted} still good)`,
      wanted: '≥ 100000',
      reached: runs >= FUZZ_RUNS,
    },
    { what: 'the slowest of them', measured: `${slowest.toFixed(0)} ms`, wanted: '< 200 ms', reached: slowest < 200 },
    { what: 'refused without a place', measured: String(unplaced.length), wanted: '0', reached: unplaced.length === 0 },
    { what: 'suggestions that change data', measured: String(changing.length), wanted: '0', reached: changing.length === 0 },
  ];
}

function say(what: string): void {
  process.stderr.write(`… ${what}\n`);
}
