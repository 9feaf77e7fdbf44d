import type { Ports } from '../ports.ts';
import type { ServerCommand } from '../server-process.ts';

/** The parts of the local stack, in display order. */
export const partNames = [
  'temporal',
  'postgres',
  's3',
  'kafka',
  'spark',
  'schema-registry',
  'rabbitmq',
  'mlflow',
  'mysql',
  'camel',
  'pgbouncer',
  'temporal-postgres',
  'kafka-3.9',
  'kafka-connect',
] as const;
export type PartName = (typeof partNames)[number];
/** The parts that start by default; others start only on request. */
export const usualParts: readonly PartName[] = ['temporal', 'postgres', 's3', 'kafka', 'spark'];

export interface PartContext {
  /** The stack's home, absolute. */
  readonly home: string;
  /** The environment for searching and running programs. Parts do not read `process.env`. */
  readonly environment: NodeJS.ProcessEnv;
}

/** A program that was found or fetched. */
export interface Tool {
  readonly executable: string;
  /** Its source, for display: "PATH", "cache", "npm". */
  readonly origin: string;
  /** Further paths that the part needs, such as the folder of its jars. */
  readonly paths: Readonly<Record<string, string>>;
}

export type Report = (text: string) => void;

/** One part of the stack: found or fetched; a server is started and checked until healthy; its variables describe it. */
export interface Part {
  readonly name: PartName;
  readonly title: string;
  /** What users lose without the part. */
  readonly purpose: string;
  /** The variables that `environment` returns. */
  readonly variables: readonly string[];
  /** The user's own service, if the environment names one. */
  readonly external: (context: PartContext) => Promise<ExternalPart | undefined>;
  /** Finds the program on PATH or in the cache. */
  readonly find: (context: PartContext) => Promise<Tool | undefined>;
  /** One line on what the machine lacks to fetch the program, or undefined. */
  readonly lacking: (context: PartContext) => Promise<string | undefined>;
  readonly fetch: (context: PartContext, report: Report) => Promise<Tool>;
  /** Absent for a program that runs on demand. */
  readonly server?: ServerRecipe;
  /** Variables to merge over the environment, for the ports and, without a server, the program. */
  readonly environment: (context: PartContext, ports: Ports, tool?: Tool) => Promise<Record<string, string>>;
}

export interface ExternalPart {
  /** Host and port if known; never a password. */
  readonly address?: string;
  readonly detail: string;
}

export interface ServerRecipe {
  readonly ports: readonly string[];
  readonly stopSignal: NodeJS.Signals;
  /** Time limit for a start. */
  readonly healthyWithinMs: number;
  /** Prepares the data folder and returns the command. Idempotent. */
  readonly command: (context: PartContext, tool: Tool, ports: Ports, report: Report) => Promise<ServerCommand>;
  readonly healthy: (context: PartContext, ports: Ports) => Promise<boolean>;
  /** Creates required objects in the running server. Idempotent. */
  readonly prepare?: (context: PartContext, ports: Ports) => Promise<void>;
  readonly address: (ports: Ports) => string;
  /** Deletes data outside the home. */
  readonly clean?: (context: PartContext) => Promise<void>;
}

/** Returns the named port; throws if the recipe does not list it. */
export function portOf(ports: Ports, name: string): number {
  const port = ports[name];
  if (port === undefined) throw new TypeError(`the part has no port named ${name}`);
  return port;
}
