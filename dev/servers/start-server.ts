import { setTimeout as delay } from 'node:timers/promises';
import { homePaths } from '../home.ts';
import type { Part, PartContext, Report, ServerRecipe, Tool } from './parts/part.ts';
import { choosePorts } from './ports.ts';
import { isAlive, launchServer, logTail, readRecord, removeRecord, type ServerRecord, stopServer, writeRecord } from './server-process.ts';
import { ServerUnhealthy } from '../stack-errors.ts';

const POLL_MS = 100;
/** A server that runs but does not answer may have just started, or may be recovering. */
const SECOND_CHANCE_MS = 15_000;
const ATTEMPTS = 3;
const PAUSE_MS = 700;

/** Returns the recorded server if it is healthy; removes a dead or hanging one, so that a new one can start on its data. */
export async function reuseServer(
  part: Part,
  recipe: ServerRecipe,
  context: PartContext,
  report: Report,
): Promise<ServerRecord | undefined> {
  const record = await readRecord(context.home, part.name);
  if (record === undefined) return undefined;
  for (const deadline = Date.now() + SECOND_CHANCE_MS; isAlive(record) && Date.now() < deadline; await delay(POLL_MS)) {
    if (await recipe.healthy(context, record.ports)) return prepared(part, recipe, context, record);
    report(`process ${record.pid} does not answer, waiting`);
  }
  await stopServer(record);
  await removeRecord(context.home, part.name);
  return undefined;
}

/** Starts the server on its data and waits until it is healthy. */
export async function startServer(
  part: Part,
  recipe: ServerRecipe,
  context: PartContext,
  tool: Tool,
  report: Report,
): Promise<ServerRecord> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptStart(part, recipe, context, tool, report);
    } catch (error) {
      // Another process may have taken the port, or children of a killed server may still be running: both are temporary.
      if (!(error instanceof ServerUnhealthy) || !error.ended || attempt === ATTEMPTS) throw error;
      report('it ended at once, trying again');
      await delay(PAUSE_MS);
    }
  }
}

async function attemptStart(part: Part, recipe: ServerRecipe, context: PartContext, tool: Tool, report: Report): Promise<ServerRecord> {
  const { home } = context;
  const ports = await choosePorts(home, part.name, recipe.ports);
  const command = await recipe.command(context, tool, ports, report);
  report('starting');
  const server = await launchServer(home, part.name, command, ports, recipe.stopSignal);
  for (const deadline = Date.now() + recipe.healthyWithinMs; Date.now() < deadline; await delay(POLL_MS)) {
    const exit = server.exit();
    if (exit !== undefined) {
      await removeRecord(home, part.name);
      throw unhealthy(part, home, exit, true);
    }
    // Check that the server is alive last: another process that took the port could have answered.
    if ((await recipe.healthy(context, ports)) && server.exit() === undefined && isAlive(server.record)) {
      return prepared(part, recipe, context, server.record);
    }
  }
  await stopServer(server.record);
  await removeRecord(home, part.name);
  throw unhealthy(part, home, `it did not answer within ${recipe.healthyWithinMs / 1000} s and was stopped`, false);
}

async function prepared(part: Part, recipe: ServerRecipe, context: PartContext, record: ServerRecord): Promise<ServerRecord> {
  if (record.prepared) return record;
  await recipe.prepare?.(context, record.ports);
  const done = { ...record, prepared: true };
  await writeRecord(context.home, part.name, done);
  return done;
}

function unhealthy(part: Part, home: string, what: string, ended: boolean): ServerUnhealthy {
  const tail = logTail(home, part.name);
  const log = tail === '' ? 'It wrote nothing to its log.' : `The end of ${homePaths.log(home, part.name)}:\n${tail}`;
  const advice =
    `Start again; if it fails again, delete the local stack's data with sluice stack clean, ` +
    `or use a server of your own by setting ${part.variables[0] ?? ''}.`;
  return new ServerUnhealthy(`${part.title} did not start: ${what}.\n${log}\n${advice}`, ended);
}
