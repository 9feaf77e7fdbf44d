/** Loaded by the monitors' workers into the workflow sandbox. */
export { SluiceIncident } from './incident.ts';
export { SluiceMonitor } from './monitor.ts';
