import type { ExternalPart } from './parts/part.ts';

/** A part is external if all its connections are set. Values contain passwords: only show host and port. */
export function externalConnections(environment: NodeJS.ProcessEnv, names: readonly string[]): ExternalPart | undefined {
  if (names.some((name) => !environment[name])) return undefined;
  const address = hostOf(environment[names[0] ?? ''] ?? '');
  return { detail: `set by ${names.join(' and ')}`, ...(address === undefined ? {} : { address }) };
}

function hostOf(value: string): string | undefined {
  try {
    const url = new URL(value.trim());
    const endpoint = url.searchParams.get('endpoint_url');
    return (endpoint === null ? url.host : new URL(endpoint).host) || undefined;
  } catch {
    return undefined; // JSON, or a format that only the connection's own parser supports
  }
}
