import protobuf from 'protobufjs';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { addKnownProto } from './known-protos.ts';
import { messageValue } from './protobuf-values.ts';
import { errorText } from '../../../workflows/plan/values/error-text.ts';

/** A `.proto` file: its import name and its text. */
export interface ProtoFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Creates a reader for Protobuf records: each record names its message by index in the schema.
 * @param referred the files that `text` imports, dependencies first
 * @throws Error for an invalid schema, or one with a missing import
 */
export function protobufReader(text: string, referred: readonly ProtoFile[]): (body: Buffer) => Json {
  const root = new protobuf.Root();
  const missing = new Set<string>();
  const given = new Set(referred.map(({ name }) => name));
  const parse = (file: string): protobuf.IParserResult => {
    const parsed = protobuf.parse(file, root, { keepCase: true });
    for (const name of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) {
      if (!given.has(name) && !addKnownProto(root, name)) missing.add(name);
      given.add(name);
    }
    return parsed;
  };
  for (const file of referred) parse(file.text);
  const { package: name } = parse(text);
  try {
    root.resolveAll();
  } catch (error) {
    if (missing.size === 0) throw error;
    const reason = errorText(error);
    throw new Error(`${reason}; it imports ${[...missing].join(', ')}, which the registry has no reference for`, { cause: error });
  }
  const scope = name === undefined ? root : (root.lookup(name) as protobuf.Namespace);
  const own = protobuf.parse(text, { keepCase: true });
  const order = messagesOf(own.package === undefined ? own.root : (own.root.lookup(own.package) as protobuf.Namespace));
  return (body) => {
    const { path, rest } = messagePath(body);
    let names: readonly MessageName[] = order;
    const full: string[] = [];
    for (const index of path) {
      const next = names[index];
      if (!next) throw new Error(`the schema has no message ${path.join('.')}`);
      full.push(next.name);
      names = next.inner;
    }
    const type = scope.lookupType(full.join('.'));
    return messageValue(type.decode(rest), type);
  };
}

interface MessageName {
  readonly name: string;
  readonly inner: readonly MessageName[];
}

/** The messages of a schema in declaration order: records name theirs by index. */
function messagesOf(space: protobuf.NamespaceBase): MessageName[] {
  return space.nestedArray
    .filter((each): each is protobuf.Type => each instanceof protobuf.Type)
    .map((type) => ({ name: type.name, inner: messagesOf(type) }));
}

/** Parses zig-zag varints: a count, then each index; a single 0 means the first message. */
function messagePath(body: Buffer): { readonly path: readonly number[]; readonly rest: Buffer } {
  const reader = protobuf.Reader.create(body);
  const count = reader.sint32();
  const path = count === 0 ? [0] : Array.from({ length: Math.min(count, MOST_NESTED) }, () => reader.sint32());
  return { path, rest: body.subarray(reader.pos) };
}

const MOST_NESTED = 32;
