import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';

/** States of a connector and of its tasks. `UNASSIGNED`: no worker runs it at the moment, as during a rebalance. */
export const CONNECTOR_STATES = ['RUNNING', 'FAILED', 'PAUSED', 'STOPPED', 'UNASSIGNED', 'RESTARTING'] as const;
export type ConnectorState = (typeof CONNECTOR_STATES)[number];

/** The configuration of a connector. Connect stores all values as text. */
export type ConnectorConfig = Readonly<Record<string, string>>;

/** The status of a connector, or of one of its tasks. */
export interface PartStatus {
  readonly state: ConnectorState;
  /** Address of the worker that runs it, `host:port`. */
  readonly worker: string;
  /** The stack trace of the failure; absent unless `FAILED`. */
  readonly trace?: string;
}

export interface TaskStatus extends PartStatus {
  readonly id: number;
}

/** The status of a connector with its tasks. */
export interface ConnectorStatus {
  readonly name: string;
  readonly type: 'source' | 'sink';
  readonly connector: PartStatus;
  readonly tasks: readonly TaskStatus[];
}

/** The position of a connector in one partition of its source, or of its topic. Both are as the connector writes them. */
export interface ConnectorOffset {
  readonly partition: JsonObject;
  /** null: the position is unset. */
  readonly offset: JsonObject | null;
}

/** @returns undefined if `body` is not a status */
export function readStatus(body: Json): ConnectorStatus | undefined {
  if (!isMap(body) || typeof body.name !== 'string' || !Array.isArray(body.tasks)) return undefined;
  const connector = readPart(body.connector);
  const tasks = body.tasks.map(readTask);
  if (connector === undefined || !tasks.every((task) => task !== undefined)) return undefined;
  return { name: body.name, type: body.type === 'sink' ? 'sink' : 'source', connector, tasks };
}

function readTask(value: Json): TaskStatus | undefined {
  const part = readPart(value);
  return part !== undefined && isMap(value) && typeof value.id === 'number' ? { id: value.id, ...part } : undefined;
}

function readPart(value: Json | undefined): PartStatus | undefined {
  if (!isMap(value)) return undefined;
  const state = CONNECTOR_STATES.find((each) => each === value.state);
  if (state === undefined) return undefined;
  const { worker_id: worker, trace } = value;
  return { state, worker: typeof worker === 'string' ? worker : '', ...(typeof trace === 'string' && { trace }) };
}

/** The first line of the deepest cause in a stack trace of Java: what an operator needs to read. */
export function causeOf(trace: string): string {
  const lines = trace.split('\n').map((line) => line.trim());
  const cause = lines.findLast((line) => line.startsWith('Caused by: '))?.slice('Caused by: '.length) ?? lines[0] ?? '';
  return cause.replace(/^(?:[\w$]+\.)+([\w$]+): /, '$1: ');
}
