/**
 * Loaded by workers into the workflow sandbox. The default export is Temporal's default workflow, which handles every `dag_id`. A `dag_id`
 * starts with a lowercase letter; the other workflows start with a capital.
 */
export { interpreter as default } from './interpreter.ts';
export { SluiceBackfill } from './backfill.ts';
export { SluiceItems } from './items.ts';
export { SluiceProbe } from './probe.ts';
export { SluiceSensor } from './sensor.ts';
export { SluiceSlots } from './slots.ts';
export { SluiceWorkerCheck } from './worker-check.ts';
