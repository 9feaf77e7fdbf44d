import { Command, InvalidArgumentError } from 'commander';
import { READY_LINES } from '../../lib/ready-lines.ts';
import { parsePort } from '../../lib/health-page.ts';
import { serveCodec } from '../../temporal/codec/codec-server.ts';
import { SluiceCodec } from '../../temporal/codec/codec.ts';
import { payloadKeysFrom } from '../../temporal/codec/payload-keys.ts';
import { CommandError, environment, say } from '../command-context.ts';

const USUAL_PORT = 8234;

interface Options {
  readonly port: number;
  readonly ui: string | undefined;
}

/** `sluice codec-server`: decodes payloads for the Temporal UI. */
export const command = new Command('codec-server')
  .description('Decrypt payloads for the Temporal UI, on this machine only. Stops on SIGTERM or Ctrl-C.')
  .option(
    '-p, --port <port>',
    'port on 127.0.0.1; 0 chooses a free port',
    parsePort,
    portOf(environment.SLUICE_CODEC_ENDPOINT) ?? USUAL_PORT,
  )
  .option('--ui <address>', 'address of the Temporal UI; other origins are rejected', parseOrigin, environment.SLUICE_TEMPORAL_UI)
  .addHelpText(
    'after',
    '\nExample:\n  sluice codec-server --ui http://localhost:8233\n\nEnter its address in the Temporal UI under "Codec server", or as --ui-codec-endpoint. Requires SLUICE_PAYLOAD_KEYS.',
  )
  .action(async ({ port, ui }: Options) => {
    const keys = payloadKeysFrom(environment);
    if (!keys)
      throw new CommandError(
        'SLUICE_PAYLOAD_KEYS is not set: payloads are not encrypted, and the Temporal UI shows them without a codec server.',
      );
    if (ui === undefined)
      throw new CommandError('The address of the Temporal UI is missing: pass --ui http://localhost:8233, or set SLUICE_TEMPORAL_UI.');
    const origin = parseOrigin(ui);
    const server = await serveCodec(new SluiceCodec({ ...keys, readsPlain: true }), { origin, port });
    const address = server.address();
    say(`${READY_LINES.codecServer} ${origin} at http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.close(() => process.exit()));
  });

function portOf(address: string | undefined): number | undefined {
  return address !== undefined && URL.canParse(address) ? Number(new URL(address).port) : undefined;
}

/** @throws InvalidArgumentError */
function parseOrigin(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('Must be an address such as http://localhost:8233.');
  return new URL(text).origin;
}
