/**
 * What workers load into the workflow sandbox. The default export is Temporal's default workflow: it takes every `dag_id`, which begin with a
 * small letter; what has a name of its own begins with a capital.
 */
export { interpreter as default } from './interpreter.ts';
export { SluiceBackfill } from './backfill.ts';
export { SluiceItems } from './items.ts';
export { SluiceProbe } from './probe.ts';
export { SluiceSensor } from './sensor.ts';
export { SluiceSlots } from './slots.ts';
