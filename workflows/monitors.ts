/** What the monitors' own workers load into the workflow sandbox. */
export { SluiceIncident } from './incident.ts';
export { SluiceMonitor } from './monitor.ts';
