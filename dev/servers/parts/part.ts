import type { Ports } from '../ports.ts';
import type { ServerCommand } from '../server-process.ts';

/** The parts of the local stack, in the order in which they are listed. */
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
  'pgbouncer',
  'temporal-postgres',
  'kafka-3.9',
] as const;
export type PartName = (typeof partNames)[number];
/** Those that start when none is named: the others only who needs them asks for. */
export const usualParts: readonly PartName[] = ['temporal', 'postgres', 's3', 'kafka', 'spark'];

export interface PartContext {
  /** The stack's folder, absolute. */
  readonly home: string;
  /** Where programs are looked for and what they inherit. Nothing reads `process.env`. */
  readonly environment: NodeJS.ProcessEnv;
}

/** A program that was found or fetched. */
export interface Tool {
  readonly executable: string;
  /** Where it came from, for people: "PATH", "cache", "npm". */
  readonly origin: string;
  /** What else of it the part needs to know, such as the folder of its jars. */
  readonly paths: Readonly<Record<string, string>>;
}

export type Report = (text: string) => void;

/** One part of the stack: it is looked for, else fetched; a server is then started until it is healthy; its variables tell the rest. */
export interface Part {
  readonly name: PartName;
  readonly title: string;
  /** What users lose without it. */
  readonly purpose: string;
  /** The variables that `environment` gives. */
  readonly variables: readonly string[];
  /** What of the user's own is used instead, when the environment names it. */
  readonly external: (context: PartContext) => Promise<ExternalPart | undefined>;
  /** The program when it is on the machine: on PATH, else in the cache. */
  readonly find: (context: PartContext) => Promise<Tool | undefined>;
  /** One line on what the machine lacks to fetch the program, or undefined. */
  readonly lacking: (context: PartContext) => Promise<string | undefined>;
  readonly fetch: (context: PartContext, report: Report) => Promise<Tool>;
  /** Absent: the part is a program that is run when it is needed. */
  readonly server?: ServerRecipe;
  /** What to merge over the environment, given the ports and, for a part without a server, the program. */
  readonly environment: (context: PartContext, ports: Ports, tool?: Tool) => Promise<Record<string, string>>;
}

export interface ExternalPart {
  /** Host and port when known; never a password. */
  readonly address?: string;
  readonly detail: string;
}

export interface ServerRecipe {
  readonly ports: readonly string[];
  readonly stopSignal: NodeJS.Signals;
  /** How long a start may take before it counts as failed. */
  readonly healthyWithinMs: number;
  /** Makes the data folder ready and says what to run. May be called again on the same data. */
  readonly command: (context: PartContext, tool: Tool, ports: Ports, report: Report) => Promise<ServerCommand>;
  readonly healthy: (context: PartContext, ports: Ports) => Promise<boolean>;
  /** Creates in the healthy server what must be there. May be called again. */
  readonly prepare?: (context: PartContext, ports: Ports) => Promise<void>;
  readonly address: (ports: Ports) => string;
  /** Deletes data that lies outside the home. */
  readonly clean?: (context: PartContext) => Promise<void>;
}

/** The port of that name; a name that the recipe does not list is a mistake in the part. */
export function portOf(ports: Ports, name: string): number {
  const port = ports[name];
  if (port === undefined) throw new TypeError(`the part has no port named ${name}`);
  return port;
}
