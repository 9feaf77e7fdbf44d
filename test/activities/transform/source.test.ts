import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { after, before, describe, it } from 'mocha';
import { openStorage, type Storage } from '../../../activities/support/dataset/storage.ts';
import { openSources } from '../../../activities/transform/source.ts';

const FILE = gzipSync(randomBytes(300_000).toString('hex'));

/** An S3 server that closes the connection within the file `cut.gz`, and never ends `silent.gz`. */
describe('a compressed file that does not arrive as a whole', function () {
  this.timeout('20s');
  let server: Server;
  let storage: Storage;

  before(async () => {
    server = createServer((request, response) => {
      response.writeHead(200, { 'content-length': FILE.length });
      response.write(FILE.subarray(0, 200_000), () => request.url?.includes('cut') && response.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const keys = { access_key_id: 'a', secret_access_key: 'b' };
    storage = openStorage({ type: 'aws', region_name: 'us-east-1', endpoint_url: endpoint, ...keys }, 'aws_default');
  });
  after(() => {
    storage.client.destroy();
    server.closeAllConnections();
    server.close();
  });

  /** Reads a file. @returns the number of characters */
  async function read(key: string, signal: AbortSignal, onText: () => void = () => undefined): Promise<number> {
    const [source] = await openSources({ input: undefined, signal }, { s3_bucket: 'b', s3_key: key, read: { format: 'csv' } }, storage);
    let characters = 0;
    for await (const text of source?.text(signal) ?? []) {
      characters += text.length;
      onText();
    }
    return characters;
  }

  it('fails its reader, and nothing else', async () => {
    await assert.rejects(read('cut.gz', new AbortController().signal), /aborted|ECONNRESET|terminated|closed/i);
  });

  it('ends at once when the task is cancelled', async () => {
    const cancelled = new AbortController();
    await assert.rejects(
      read('silent.gz', cancelled.signal, () => cancelled.abort()),
      /abort/i,
    );
  });
});
