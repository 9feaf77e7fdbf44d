import { type Comparison, printComparisons } from './comparison.ts';

/** `npm run bench -- <suite>`: each suite measures pairs and says what it wants to reach. */
const SUITES: Record<string, () => Promise<Comparison[]>> = {
  runs: async () => (await import('./runs/runs.ts')).benchRuns(),
};

const name = process.argv[2] ?? '';
const suite = SUITES[name];
if (suite) {
  process.exitCode = printComparisons(await suite()) ? 0 : 1;
} else {
  process.stderr.write(
    `There is no benchmark '${name}'. There are: ${Object.keys(SUITES).join(', ')}. For example: npm run bench -- runs\n`,
  );
  process.exitCode = 1;
}
