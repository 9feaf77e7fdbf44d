import { fileURLToPath } from 'node:url';
import { deflateSync, inflateSync } from 'node:zlib';
import type { Client } from '@temporalio/client';
import {
  type DataConverter,
  DefaultFailureConverter,
  defaultFailureConverter,
  defaultPayloadConverter,
  type LoadedDataConverter,
  type Payload,
  type PayloadCodec,
  type PayloadConverter,
  type SerializationContext,
} from '@temporalio/common';
import proto from '@temporalio/proto';
import type { Environment } from '../../lib/environment.ts';
import { unreadable } from '../../workflows/plan/tasks/unreadable.ts';
import { type PayloadKeys, payloadKeysFrom } from './payload-keys.ts';
import { bytesOf, textOf } from './payload-text.ts';
import { isSealed, seal, sealKeyId, unseal } from './seal.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

const COMPRESSED = 'binary/zlib';
/** Smaller payloads stay uncompressed, so that the Temporal UI shows them: inputs and outputs of tasks, and most plans. */
const COMPRESSED_FROM = 16 * 1024;
/** Temporal rejects more than 2 MB; a compressed payload of that size may expand to this much. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Compresses a large payload. Level 1 reduces a plan of 100 KB to a fifth in half a millisecond. */
export function compress(payload: Payload): Payload {
  if ((payload.data?.length ?? 0) < COMPRESSED_FROM) return payload;
  const data = deflateSync(PayloadMessage.encode(payload).finish(), { level: 1 });
  return { metadata: { encoding: bytesOf(COMPRESSED) }, data };
}

/** Reverts `compress`; leaves other payloads unchanged. */
export function decompress(payload: Payload): Payload {
  if (!payload.data || textOf(payload.metadata?.encoding) !== COMPRESSED) return payload;
  return PayloadMessage.decode(inflateSync(payload.data, { maxOutputLength: MAX_BYTES }));
}

/** Thrown when a task would act on a payload that this deployment did not encrypt. */
export class PayloadRefused extends Error {
  override readonly name = 'PayloadRefused';
}

/** Compresses payloads and, if there are keys, encrypts them. With keys, it only accepts payloads that this deployment encrypted. */
export class SluiceCodec implements PayloadCodec {
  constructor(private readonly keys?: PayloadKeys) {}

  /** The id of the key that encrypts; undefined without encryption. */
  get keyId(): string | undefined {
    return this.keys?.first;
  }

  async encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return payloads.map((payload) => this.seal(payload, context));
  }

  async decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return payloads.map((payload) => this.open(payload, context));
  }

  /** Compresses and encrypts a payload for Temporal. */
  seal(payload: Payload, context?: SerializationContext): Payload {
    const small = compress(payload);
    const key = this.keys?.byId.get(this.keys.first);
    return this.keys && key ? seal(small, scopeOf(context), this.keys.first, key) : small;
  }

  /**
   * Reverts `seal`. An unreadable payload is replaced with a value that says why (plan/unreadable.ts): one foreign payload must not hide
   * the rest of a list.
   * @throws PayloadRefused for the input or the result of a task
   */
  open(payload: Payload, context?: SerializationContext): Payload {
    try {
      return decompress(this.unseal(payload, context));
    } catch (error) {
      const why = error instanceof PayloadRefused ? error.message : 'cannot be read: it is damaged.';
      if (context?.type === 'activity') throw new PayloadRefused(`A payload is refused: it ${why}`, { cause: error });
      return defaultPayloadConverter.toPayload(unreadable(why));
    }
  }

  private unseal(payload: Payload, context: SerializationContext | undefined): Payload {
    if (!isSealed(payload)) {
      if (!this.keys || this.keys.readsPlain || (context?.type === 'activity' && isWrittenByServer(payload))) return payload;
      throw new PayloadRefused('is not encrypted, and this deployment reads only what it has encrypted itself (SLUICE_PAYLOAD_KEYS).');
    }
    const id = sealKeyId(payload);
    const key = this.keys?.byId.get(id);
    if (!key) throw new PayloadRefused(`is encrypted with the key '${id}', which SLUICE_PAYLOAD_KEYS does not have here.`);
    const { payload: opened, scope } = openWith(key, payload, id);
    if (context && scope !== scopeOf(context)) throw new PayloadRefused('was encrypted for another place, and was copied to this one.');
    return opened;
  }
}

/**
 * The server itself writes this constant as the details of an activity that is cancelled before a worker has it, such as between two
 * attempts: `activityCancellationMsgActivityNotStarted` in https://github.com/temporalio/temporal. If it was refused, no cancelled run
 * with such a task would ever end.
 */
const NOT_STARTED = '"ACTIVITY_ID_NOT_STARTED"';

function isWrittenByServer({ metadata, data }: Payload): boolean {
  return textOf(metadata?.encoding) === 'json/plain' && textOf(data) === NOT_STARTED;
}

function openWith(key: Parameters<typeof unseal>[1], payload: Payload, id: string): ReturnType<typeof unseal> {
  try {
    return unseal(payload, key);
  } catch (error) {
    throw new PayloadRefused(`was not encrypted with the key '${id}' of this deployment, or it was changed.`, { cause: error });
  }
}

/**
 * The scope that a payload is encrypted for. Task outputs are under the control of others: without a scope, an output copied into the input
 * of a workflow, or of a task of another run, would be executed as a plan.
 */
function scopeOf(context: SerializationContext | undefined): string {
  return context?.type === 'activity' ? `activity/${context.workflowId ?? ''}` : 'workflow';
}

/** The converter of all clients and workers of a deployment; they must use the same one. */
export type SluiceConverter = DataConverter & LoadedDataConverter;

/** The module that encodes failures for deployments with encryption: the sandbox of workflows contains it too. */
export const ENCODED_FAILURES = fileURLToPath(new URL('../../workflows/encoded-failures.cjs', import.meta.url));

/** For clients. One foreign workflow, such as one whose memo is not JSON, must not break a list of all others. */
const tolerantConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch (error) {
      return unreadable(`cannot be read: ${errorText(error)}`) as T;
    }
  },
};

/** @throws SettingError when the keys cannot be read */
export function dataConverterFrom(environment: Environment): SluiceConverter {
  const keys = payloadKeysFrom(environment);
  return {
    payloadConverter: tolerantConverter,
    payloadCodecs: [new SluiceCodec(keys)],
    // Clients take the object, workers take the path.
    failureConverter: keys ? new DefaultFailureConverter({ encodeCommonAttributes: true }) : defaultFailureConverter,
    ...(keys && { failureConverterPath: ENCODED_FAILURES }),
  };
}

/** The codec of a client. */
export function codecOf(client: Client): SluiceCodec {
  const [codec] = client.options.loadedDataConverter.payloadCodecs;
  return codec instanceof SluiceCodec ? codec : new SluiceCodec();
}

/** Reads raw payloads from histories and pending tasks. */
export function payloadReader(codec: SluiceCodec): PayloadConverter {
  return {
    toPayload: (value) => codec.seal(tolerantConverter.toPayload(value)),
    fromPayload: <T>(payload: Payload) => tolerantConverter.fromPayload<T>(codec.open(payload)),
  };
}
