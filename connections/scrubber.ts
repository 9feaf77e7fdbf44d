import type { Environment } from '../lib/environment.ts';
import { Scrubber } from '../lib/scrubbing/scrub.ts';
import { isSecretVariable } from '../lib/scrubbing/secret-variables.ts';
import { CONNECTIONS } from './catalog.ts';
import { connectionsFrom } from './connections.ts';
import type { ConnectionDefinition } from './define-connection.ts';
import { connectionVariable } from './parse.ts';
import { secretsIn, secretsOfAddress } from './secrets.ts';

/**
 * A scrubber for all secrets of an environment: its connections, Temporal credentials, and payload keys.
 * @param catalog the connection types of the project; default: the built-in ones
 */
export function scrubberOf(environment: Environment, catalog: readonly ConnectionDefinition[] = CONNECTIONS): Scrubber {
  const connections = connectionsFrom(environment, catalog).names();
  const others = Object.entries(environment).filter(([name, value]) => value !== undefined && value !== '' && isSecretVariable(name));
  return new Scrubber([
    ...connections.flatMap((name) => secretsIn(name, environment[connectionVariable(name)] ?? '', catalog)),
    ...others.flatMap(([name, value = '']) => partsOf(name, value).map((part) => ({ value: part }))),
    ...secretsOfAddress(environment.SLUICE_DEAD_MANS_SWITCH ?? ''),
  ]);
}

/** The secrets in a variable that is not a connection. */
function partsOf(name: string, value: string): string[] {
  return name === 'SLUICE_PAYLOAD_KEYS' ? value.split(',').map((entry) => entry.slice(entry.indexOf(':') + 1)) : [value];
}
