import type { ConnectorServers } from '../../monitors/connectors/connector-servers.ts';
import type { MonitorFacts } from '../../monitors/facts.ts';

/** The facts of a deployment without pipelines, sensors and connectors, whose worker answers. */
export const noFacts: MonitorFacts = {
  pipelines: () => Promise.resolve({ found: [], unchecked: new Map() }),
  workersAnswer: () => Promise.resolve(true),
  sensors: () => Promise.resolve({ found: [], unchecked: new Map() }),
  connectors: () => Promise.resolve({ found: [], unchecked: new Map() }),
  runDetails: () => Promise.resolve({ rows: {} }),
  lastSuccess: () => Promise.resolve(undefined),
  nextTick: () => undefined,
  observe: () => Promise.resolve(undefined),
  lostIncidents: () => Promise.resolve(new Map()),
  urlOf: () => undefined,
  urlOfRuns: () => undefined,
};

/** For a deployment without connectors, which asks no server. */
export const noServers: ConnectorServers = {
  statuses: () => Promise.reject(new Error('There is no Kafka Connect.')),
  restart: () => Promise.reject(new Error('There is no Kafka Connect.')),
};
