import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Servers that answer with the secrets of whoever connects, as a broken or a hostile one may. */
export interface RogueServers {
  readonly ports: Readonly<Record<'http' | 'postgres' | 'mysql' | 'other', number>>;
  close(): void;
}

/** @param said what they say: all secrets, in all encodings */
export async function openRogueServers(said: string): Promise<RogueServers> {
  const servers = {
    http: createHttpServer((request, response) => {
      const text = `${sentBy(request)} ${said}`;
      const isGood = request.url?.includes('/good') ?? false;
      const body = isGood
        ? JSON.stringify({ answer: text, list: [{ [text]: text }] })
        : `<Error><Code>No</Code><Message>${text}</Message></Error>`;
      request.resume().once('end', () => {
        response.writeHead(isGood ? 200 : 403, { 'content-type': isGood ? 'application/json' : 'application/xml' }).end(body);
      });
    }),
    postgres: talking((socket) => socket.once('data', () => socket.end(postgresError(said)))),
    mysql: talking((socket) => socket.end(mysqlError(said))),
    other: talking((socket) => socket.end(said)),
  };
  const opened = await Promise.all(Object.entries(servers).map(async ([name, server]) => [name, await listen(server)] as const));
  return {
    ports: Object.fromEntries(opened) as RogueServers['ports'],
    close: () => {
      for (const server of Object.values(servers)) server.close();
    },
  };
}

function sentBy({ headers, url }: IncomingMessage): string {
  return `you sent ${String(headers.authorization)} to ${String(url)}`;
}

function talking(talk: (socket: Socket) => void): Server {
  return createServer((socket) => talk(socket.on('error', () => undefined)));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function postgresError(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C28P01\0M${message}\0\0`);
  const head = Buffer.alloc(5, 'E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** An error in the place of the handshake. */
function mysqlError(message: string): Buffer {
  const body = Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from(`#28000${message}`)]);
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  return Buffer.concat([head, body]);
}
