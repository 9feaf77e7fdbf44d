import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A server that accepts connections and never answers. */
export async function openBlackHole(): Promise<{ readonly address: string; readonly entered: Promise<void>; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined).resume())).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    entered: new Promise((resolve) => server.once('connection', () => resolve())),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
