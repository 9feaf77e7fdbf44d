import Type from 'typebox';
import { matchesGlob } from '../lib/glob.ts';
import { duration, flag, text } from '../lib/schema-fields.ts';
import { defineTrigger } from './define-trigger.ts';
import { StartMode } from './events/event-mode.ts';
import { resetToTime } from './run/time-cursor.ts';

/** New or changed objects in S3. */
export const s3 = defineTrigger({
  type: 's3',
  description: 'Starts runs from new or changed objects under a prefix.',
  connection: { default: 'aws_default', types: ['aws'], formerly: 'aws_conn_id' },
  params: Type.Object({
    bucket: text('Bucket', 'The bucket.', 'raw-data'),
    prefix: Type.Optional(text('Prefix', 'Only objects whose keys begin with it.', 'sales/', { format: 'path' })),
    pattern: Type.Optional(text('Pattern', 'Only objects whose keys match, with * for any characters.', '*.csv.gz', { format: 'path' })),
    folder_markers: Type.Optional(
      flag(
        'Folder markers',
        'Whether objects without bytes whose keys end with / start runs: programs write them for folders. Default: false.',
        true,
      ),
    ),
    poke_interval: Type.Optional(duration('Interval', 'How often it looks. Default: 1m.', '1m')),
    mode: Type.Optional(StartMode),
  }),
  event: {
    value: { fields: { bucket: 'string', key: 'string', size: 'int', etag: 'string', last_modified: 'string' } },
    meta: { key: 'string' },
  },
  watches: ({ bucket, prefix, pattern }) => [
    {
      kind: 'S3',
      name: `${String(bucket)}/${typeof prefix === 'string' ? prefix : ''}`,
      // A pattern with folders matches more than file names.
      ...(typeof pattern === 'string' && !pattern.includes('/') && { accepts: (file: string) => matchesGlob(file, pattern) }),
    },
  ],
  sensor: {
    run: async (context) => (await import('./s3/watch-objects.ts')).watchObjects(context),
    reset: resetToTime,
  },
  example: { name: 'new_sales', type: 's3', bucket: 'raw-data', prefix: 'sales/' },
});
