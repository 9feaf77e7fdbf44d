import { connectionVariable, parseConnection } from '../../connections/parse.ts';
import { testStack } from './test-stack.ts';

/** Starts the suite's PgBouncer. @returns makes the URL of a database of the suite's PostgreSQL lead through it */
export async function startPooler(): Promise<(url: string) => string> {
  await testStack(['postgres']);
  const { environment } = await testStack(['pgbouncer']);
  const pooler = parseConnection('postgres_pooled', environment[connectionVariable('postgres_pooled')] ?? '');
  if (pooler.type !== 'postgres') throw new Error('postgres_pooled is not PostgreSQL.');
  return (url) => {
    const pooled = new URL(url.replace(/^postgresql:/, 'http:'));
    pooled.port = String(pooler.port);
    return pooled.href.replace(/^http:/, 'postgresql:');
  };
}
