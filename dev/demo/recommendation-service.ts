import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The shop's recommendation service, as pipelines see it. */
export interface RecommendationService {
  /** Its address, for `SLUICE_CONN_RECOMMENDATION_SERVICE`. */
  readonly url: string;
  /** The versions that it was asked to load, in order. */
  readonly loaded: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts the service on loopback: `POST /models/reload` loads a version, `GET /models/<model>` returns the loaded one.
 * @param load returns the result of loading a version, which may fail
 */
export async function startRecommendationService(load: (version: string) => string = (version) => version): Promise<RecommendationService> {
  const loaded: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'POST') loaded.push(load((JSON.parse(Buffer.concat(chunks).toString()) as { version: string }).version));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ version: loaded.at(-1) ?? null }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loaded,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
