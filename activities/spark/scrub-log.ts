import { open, rename } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** Removes secrets from a text. */
export type Scrub = (text: string) => string;

const CHUNK_BYTES = 64 * 1024;
/** Longer lines are scrubbed in parts; in characters. */
const MAX_LINE = 1024 * 1024;

/** Removes secrets from a log that is complete. Memory is bounded regardless of the job's output. A missing log stays missing. */
export async function scrubLog(file: string, scrub: Scrub): Promise<void> {
  const log = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!log) return;
  const draft = `${file}.draft`;
  const clean = await open(draft, 'w', 0o600);
  try {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for await (const chunk of log.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: false })) {
      const text = rest + decoder.write(chunk as Buffer);
      const end = text.length > MAX_LINE ? text.length : text.lastIndexOf('\n') + 1;
      if (end > 0) await clean.write(scrub(text.slice(0, end)));
      rest = text.slice(end);
    }
    await clean.write(scrub(rest + decoder.end()));
  } finally {
    await Promise.all([log.close(), clean.close()]);
  }
  await rename(draft, file);
}
