import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'mocha';
import type { Connection } from 'pg';
import { CopyOut } from '../../lib/databases/copy-out.ts';

describe('what COPY … TO STDOUT sends', () => {
  const rowsWith = (length: number): string[] => ['1,one\n', '', `2,${'x'.repeat(length)}\n`, '3,three\n'];
  const [response, notice, done, complete, ready] = [
    message('H'),
    message('N', 'hear'),
    message('c'),
    message('C', 'COPY 4\0'),
    message('Z'),
  ];
  const sentOf = ([a, b, c, d]: readonly string[]): Buffer[] => {
    return [response, copyData(a), copyData(b), notice, copyData(c), copyData(d), done, complete, ready];
  };

  // A long row in single bytes takes seconds, and proves no more.
  for (const [size, length] of [
    [1, 100_000],
    [3, 100_000],
    [4096, 2_800_000],
    [65_536, 2_800_000],
    [200_000, 2_800_000],
  ] as const) {
    it(`is the rows, and the rest is the driver's, when it comes in chunks of ${size}`, async () => {
      const { copy, socket, heard } = session();
      const rows = rowsWith(length);
      const bytes = Buffer.concat(sentOf(rows));
      for (let at = 0; at < bytes.length; at += size) socket.write(Buffer.from(bytes.subarray(at, at + size)));
      assert.equal(await text(copy), rows.join(''));
      assert.equal(copy.rowCount, 4);
      assert.deepEqual(heard(), Buffer.concat([response, notice, done, complete, ready]));
    });
  }

  it('leaves the session to the driver when it has ended', async () => {
    const { copy, socket, heard } = session();
    socket.write(Buffer.concat(sentOf(rowsWith(100_000))));
    await text(copy);
    const before = heard().length;
    socket.write(copyData('of another statement'));
    assert.equal(heard().length - before, copyData('of another statement').length);
  });

  it('waits for its reader', async () => {
    const { copy, socket } = session();
    const pieces = copy.pieces();
    for (let row = 0; row < 100; row++) socket.write(copyData('x'.repeat(60_000)));
    assert.equal((await pieces.next()).done, false);
    assert.ok(socket.isPaused(), 'the socket is still read');
  });

  it('fails as the server says', async () => {
    const { copy, socket } = session();
    socket.write(Buffer.concat([response, copyData('1\n')]));
    copy.handleError(new Error('division by zero'));
    await assert.rejects(text(copy), /division by zero/);
  });
});

function message(kind: string, content = ''): Buffer {
  const header = Buffer.from(`${kind}\0\0\0\0`);
  header.writeUInt32BE(Buffer.byteLength(content) + 4, 1);
  return Buffer.concat([header, Buffer.from(content)]);
}

function copyData(row = ''): Buffer {
  return message('d', row);
}

/** A copy on a socket, and what the driver hears; it takes the ends of messages C and Z for what they are. */
function session(): { copy: CopyOut; socket: PassThrough; heard: () => Buffer } {
  const socket = new PassThrough({ highWaterMark: 64 * 1024 * 1024 });
  const copy = new CopyOut('COPY rows TO STDOUT');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    const all = Buffer.concat(chunks);
    if (chunk.includes('Z')) copy.handleReadyForQuery();
    else if (all.includes('COPY 4\0') && Number.isNaN(copy.rowCount)) copy.handleCommandComplete({ text: 'COPY 4' });
  });
  copy.submit({ stream: socket, query: () => {} } as unknown as Connection);
  return { copy, socket, heard: () => Buffer.concat(chunks) };
}

async function text(copy: CopyOut): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of copy.pieces()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}
