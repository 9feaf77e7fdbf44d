import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AwsConnection } from '../../lib/s3.ts';

/** Passes requests on to an S3 server, except those that it refuses with 503. */
export class S3Proxy {
  refuses: (request: IncomingMessage) => boolean = () => false;

  private constructor(private readonly server: Server) {}

  static async start({ endpoint_url: endpoint = '' }: AwsConnection): Promise<S3Proxy> {
    const { hostname, port } = new URL(endpoint);
    const server = createServer((asked, answer) => {
      if (proxy.refuses(asked)) {
        asked.resume();
        answer.writeHead(503).end();
        return;
      }
      const { method, url, headers } = asked;
      const passedOn = request({ hostname, port, method, path: url, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      passedOn.on('error', () => answer.destroy());
      asked.pipe(passedOn);
    });
    const proxy = new S3Proxy(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
