import { createRequire } from 'node:module';

/** The metadata requests of kafkajs, which are extended; all clients share them. */
interface MetadataRequests {
  readonly versions: string[];
  protocol(choice: { readonly version: number }): (options: MetadataOptions) => { readonly request: Request; readonly response: Response };
}

interface MetadataOptions {
  readonly topics: readonly string[];
  readonly allowAutoTopicCreation?: boolean;
}

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  encode(): Promise<Encoder>;
}

interface Response {
  decode(data: Buffer): Promise<unknown>;
  parse(decoded: unknown): Promise<unknown>;
}

/** kafkajs' encoder of protocol types. */
interface Encoder {
  writeUVarInt(value: number): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeBuffer(value: Buffer): Encoder;
  writeUVarIntString(value: string): Encoder;
}

/** kafkajs' decoder of protocol types. */
interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readBoolean(): boolean;
  readUVarInt(): number;
  readBytes(length: number): Buffer | null;
  readTaggedFields(): unknown;
}

/** kafkajs does not export it. */
const SOURCE = 'kafkajs/src/protocol';
/** KIP-516, since Kafka 2.8: https://kafka.apache.org/protocol#The_Messages_Metadata. */
const VERSION = 10;
const ID_BYTES = 16;
const NO_ID = Buffer.alloc(ID_BYTES);
const NO_TAGS = 0;

/**
 * Adds the version of the metadata request that returns topic ids, which change when a topic is deleted and recreated. kafkajs 2.2.4 only
 * supports version 6. Partitions in `admin.fetchTopicMetadata` then have a `topicId`; older brokers get the old request.
 */
export function requestTopicIds(): void {
  const require = createRequire(import.meta.url);
  const requests = require(`${SOURCE}/requests/metadata`) as MetadataRequests;
  const NewEncoder = require(`${SOURCE}/encoder`) as new () => Encoder;
  const NewDecoder = require(`${SOURCE}/decoder`) as new (data: Buffer) => Decoder;
  const { protocol } = requests;
  requests.versions.push(String(VERSION));
  requests.protocol = (choice) =>
    choice.version === VERSION
      ? (options) => {
          const { request, response } = protocol({ version: 6 })(options);
          return {
            request: { ...request, apiVersion: VERSION, encode: () => Promise.resolve(encode(new NewEncoder(), options)) },
            response: { parse: response.parse, decode: (data) => Promise.resolve(decode(new NewDecoder(data))) },
          };
        }
      : protocol(choice);
}

/** @param options all topics if none is named */
function encode(encoder: Encoder, { topics, allowAutoTopicCreation = true }: MetadataOptions): Encoder {
  // kafkajs writes an older header, so the tags of the new header are written here.
  encoder.writeUVarInt(NO_TAGS).writeUVarInt(topics.length === 0 ? 0 : topics.length + 1);
  for (const topic of topics) encoder.writeBuffer(NO_ID).writeUVarIntString(topic).writeUVarInt(NO_TAGS);
  return encoder.writeBoolean(allowAutoTopicCreation).writeBoolean(false).writeBoolean(false).writeUVarInt(NO_TAGS);
}

function decode(decoder: Decoder): unknown {
  decoder.readTaggedFields();
  const clientSideThrottleTime = decoder.readInt32();
  const brokers = arrayOf(decoder, () => ({
    nodeId: decoder.readInt32(),
    host: textOf(decoder),
    port: decoder.readInt32(),
    rack: textOf(decoder),
    tags: decoder.readTaggedFields(),
  }));
  const clusterId = textOf(decoder);
  const controllerId = decoder.readInt32();
  const topicMetadata = arrayOf(decoder, () => topicOf(decoder));
  return { throttleTime: 0, clientSideThrottleTime, brokers, clusterId, controllerId, topicMetadata };
}

function topicOf(decoder: Decoder): unknown {
  const topicErrorCode = decoder.readInt16();
  const topic = textOf(decoder);
  const id = decoder.readBytes(ID_BYTES) ?? NO_ID;
  const topicId = id.equals(NO_ID) ? undefined : id.toString('base64url');
  const isInternal = decoder.readBoolean();
  const partitionMetadata = arrayOf(decoder, () => ({
    topicId,
    partitionErrorCode: decoder.readInt16(),
    partitionId: decoder.readInt32(),
    leader: decoder.readInt32(),
    leaderEpoch: decoder.readInt32(),
    replicas: arrayOf(decoder, () => decoder.readInt32()),
    isr: arrayOf(decoder, () => decoder.readInt32()),
    offlineReplicas: arrayOf(decoder, () => decoder.readInt32()),
    tags: decoder.readTaggedFields(),
  }));
  decoder.readInt32(); // the user's permissions on it, which were not requested
  decoder.readTaggedFields();
  return { topicErrorCode, topic, isInternal, partitionMetadata };
}

function textOf(decoder: Decoder): string | null {
  return decoder.readBytes(decoder.readUVarInt() - 1)?.toString('utf8') ?? null;
}

function arrayOf<T>(decoder: Decoder, read: () => T): T[] {
  return Array.from({ length: Math.max(0, decoder.readUVarInt() - 1) }, read);
}
