import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The service of the shop that recommends products, as far as pipelines know it. */
export interface RecommendationService {
  /** Its address, for `SLUICE_CONN_RECOMMENDATION_SERVICE`. */
  readonly url: string;
  /** The versions that it was told to load, in order. */
  readonly loaded: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts it on loopback: `POST /models/reload` loads a version, `GET /models/<model>` says which one is loaded.
 * @param load what comes of loading a version; a stand-in for a service that may not get on with one
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
