import Type, { type Static } from 'typebox';
import { type NewSchema, RegistrySubjects } from '../lib/kafka/registry-subjects.ts';
import { choice, text } from '../lib/schema-fields.ts';
import { sha256Hex } from '../workflows/plan/values/sha256.ts';
import { defineResource, type ResourceServer } from './define-resource.ts';
import type { Fields } from './fields.ts';

const SubjectKeys = Type.Object({
  schema: text('Schema', 'The newest schema of the subject, as text. Either this or `schema_file` is needed.', '{"type": "string"}'),
  schema_file: Type.Optional(
    Type.String({
      minLength: 1,
      title: 'Schema file',
      description: 'A file with the schema, in place of `schema`: its path from the resource file, within the folder of resources.',
      examples: ['schemas/product_view.avsc'],
    }),
  ),
  schema_type: Type.Optional(choice('Schema type', 'The language of the schema. Default: AVRO.', ['AVRO', 'JSON', 'PROTOBUF'])),
  compatibility: Type.Optional(
    choice(
      'Compatibility',
      'Which changes of the schema the registry accepts. Absent: the level of the registry; it is not compared then.',
      ['BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE', 'NONE'],
    ),
  ),
});
type SubjectKeys = Static<typeof SubjectKeys>;

/** Describes the newest version if the declared schema is an older one. */
const NEWER = 'newer than the declared schema';
/** Hexadecimal digits of a hash that are shown. */
const SHOWN = 12;

export const schemaSubject = defineResource({
  type: 'schema_subject',
  description: 'A subject of the Schema Registry of a Kafka connection, with its newest schema.',
  name: {
    description: 'The name of the subject: usually the topic with `-value` or `-key`.',
    pattern: '^[^\\u0000-\\u001f\\s]{1,255}$',
    form: 'a text without spaces, at most 255 characters',
    example: 'user-activity-value',
  },
  connection: { default: 'kafka_default', types: ['kafka'] },
  params: SubjectKeys,
  file: { key: 'schema_file', holds: 'schema' },
  fields: (keys) => ({
    schema: fingerprint(schemaOf(keys)),
    ...(keys.compatibility !== undefined && { compatibility: keys.compatibility }),
  }),
  whyFixed: ({ field, actual }) =>
    field === 'schema' && String(actual).includes(NEWER)
      ? `The subject has ${String(actual)}, and a registry cannot make an older version the newest again. Declare the newest schema, or delete the versions after it.`
      : undefined,
  deletesContents: true,
  open({ schema_registry: url }, signal) {
    if (url === undefined) throw new Error("The connection has no 'schema_registry': add its URL.");
    return Promise.resolve(serverOf(new RegistrySubjects(url, signal)));
  },
  example: { name: 'user-activity-value', type: 'schema_subject', compatibility: 'BACKWARD', schema: '{"type": "string"}' },
});

function schemaOf({ schema, schema_type: schemaType = 'AVRO' }: SubjectKeys): NewSchema {
  return { schema, schemaType };
}

/** Identifies a schema in output, which is too long to show. */
function fingerprint({ schema, schemaType }: NewSchema): string {
  return `${schemaType} ${sha256Hex(schema).slice(0, SHOWN)}`;
}

function serverOf(subjects: RegistrySubjects): ResourceServer<SubjectKeys> {
  return {
    async read(name, keys): Promise<Fields | undefined> {
      const versions = await subjects.versions(name);
      if (!versions || versions.length === 0) return undefined;
      const newest = Math.max(...versions);
      // The registry knows which texts are the same schema.
      const same = await subjects.versionOf(name, schemaOf(keys));
      const level = keys.compatibility === undefined ? undefined : await subjects.compatibility(name);
      const other = same === undefined ? `version ${newest}` : `version ${newest}, ${NEWER}, version ${same}`;
      return {
        schema: same === newest ? fingerprint(schemaOf(keys)) : other,
        ...(level !== undefined && { compatibility: level }),
      };
    },
    async create(name, keys) {
      await subjects.register(name, schemaOf(keys));
      if (keys.compatibility !== undefined) await subjects.setCompatibility(name, keys.compatibility);
    },
    async update(name, keys, _, differences) {
      const differs = (field: string): boolean => differences.some((each) => each.field === field);
      if (keys.compatibility !== undefined && differs('compatibility')) await subjects.setCompatibility(name, keys.compatibility);
      if (differs('schema')) await subjects.register(name, schemaOf(keys));
    },
    async contents(name) {
      const versions = (await subjects.versions(name)) ?? [];
      return versions.length === 0 ? undefined : `${versions.length} version${versions.length === 1 ? '' : 's'} of its schema`;
    },
    delete: (name) => subjects.delete(name),
    close: () => Promise.resolve(),
  };
}
