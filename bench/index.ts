import { printMeasures } from './measure.ts';

/** `npm run bench -- <suite>`: each suite prints its measurements with their targets, and whether all targets are met. */
const SUITES: Record<string, () => Promise<boolean>> = {
  compile: async () => printMeasures(await (await import('./compile/compile.ts')).benchCompile()),
  runs: async () => printMeasures(await (await import('./runs/runs.ts')).benchRuns()),
  apply: async () => printMeasures(await (await import('./apply/apply.ts')).benchApply()),
  sensors: async () => printMeasures(await (await import('./sensors/sensors.ts')).benchSensors()),
  'sensors-many': async () => printMeasures(await (await import('./sensors/many.ts')).benchManySensors()),
  sla: async () => printMeasures(await (await import('./sla/sla.ts')).benchSla()),
  'sla-faults': async () => printMeasures(await (await import('./sla/faults.ts')).benchSlaFaults()),
  integrations: async () => printMeasures(await (await import('./integrations/integrations.ts')).benchIntegrations()),
  soak: async () => printMeasures(await (await import('./soak/soak.ts')).benchSoak()),
  start: async () => printMeasures(await (await import('./start/start.ts')).benchStart()),
  reconcile: async () => printMeasures(await (await import('./reconcile/reconcile.ts')).benchReconcile()),
};

const name = process.argv[2] ?? '';
const suite = SUITES[name];
if (suite) {
  process.exitCode = (await suite()) ? 0 : 1;
} else {
  process.stderr.write(
    `There is no benchmark '${name}'. There are: ${Object.keys(SUITES).join(', ')}. For example: npm run bench -- runs\n`,
  );
  process.exitCode = 1;
}
