import { connectionVariable, parseConnection } from '../../connections/parse.ts';
import { testStack } from './test-stack.ts';

/** Starts the suite's PgBouncer. @returns a function that rewrites the URL of a PostgreSQL database to use it */
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
