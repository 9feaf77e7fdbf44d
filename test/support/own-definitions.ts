/** The files of a project with one definition of each kind, and a plugin. They import `sluice` as a team's repository does. */
export const OWN_DEFINITIONS = {
  'sluice.config.ts': `import { defineConfig } from 'sluice';
import plugin from './plugin/index.ts';

export default defineConfig({ deployment: 'acme_data', plugins: [plugin] });
`,
  // A plugin package is a value; here it is a folder of the project instead of a folder of node_modules.
  'plugin/index.ts': `import { definePlugin, defineTask, Type } from 'sluice';

const shout = defineTask({
  type: 'shout',
  description: 'Shouts a word.',
  summary: ({ word }) => word,
  params: Type.Object({ word: Type.String({ title: 'Word', description: 'The word to shout.', examples: ['hey'] }) }),
  result: Type.Object({ shouted: Type.String() }),
  connections: {},
  example: { name: 'shout', type: 'shout', word: 'hey' },
  run: (_, { word }) => Promise.resolve({ shouted: word.toUpperCase() }),
});

export default definePlugin({ name: 'sluice-shout', api: 1, tasks: [shout] });
`,
  'connections/vault.ts': `import { defineConnection } from 'sluice';

export interface VaultConnection {
  readonly type: 'vault';
  readonly host: string;
  readonly token: string;
}

export default defineConnection<VaultConnection>({
  type: 'vault',
  description: 'A vault',
  schemes: ['vault'],
  example: 'vault://:token@host',
  fields: {
    host: { description: 'the server', inExpressions: 'string' },
    token: { description: 'the token', secret: 'all' },
  },
  fieldsOfUri: ({ text }) => {
    const { hostname, password } = new URL(text.replace('vault:', 'http:'));
    return { host: hostname, token: password };
  },
  read: (fields) => ({ type: 'vault', host: fields.host(), token: fields.required('token') }),
  check: ({ host, token }) => Promise.reject(new Error(\`\${host} has refused the token \${token}\`)),
});
`,
  'resources/shelf.ts': `import { defineResource, fields, Type } from 'sluice';
import vault from '../connections/vault.ts';

export default defineResource({
  type: 'shelf',
  description: 'A shelf of the vault.',
  name: { description: 'Its name.', pattern: '^[a-z]+$', form: 'lowercase letters', example: 'books' },
  connection: { default: 'vault_default', types: [vault] },
  params: Type.Object({ size: fields.count('Size', 'How much it holds.', 3) }),
  fields: ({ size }) => ({ size }),
  deletesContents: false,
  open: ({ host }) => Promise.reject(new Error(\`\${host} has no shelves\`)),
  example: { name: 'books', type: 'shelf', size: 3 },
});
`,
  'lib/greeting.ts': `export const greeting = (who: string): string => \`Hello, \${who}!\`;
`,
  'tasks/greet.ts': `import { defineTask, fields, Type } from 'sluice';
import vault from '../connections/vault.ts';
import { greeting } from '../lib/greeting.ts';

export default defineTask({
  type: 'greet',
  description: 'Greets somebody.',
  summary: ({ who }) => \`hello, \${who}\`,
  params: Type.Object({ who: fields.text('Who', 'The name to greet.', 'Ada') }),
  result: Type.Object({ greeting: Type.String(), host: Type.String(), leak: Type.String() }),
  connections: { vault: { key: 'conn_id', default: 'vault_default', types: [vault], description: 'The vault.' } },
  example: { name: 'say_hello', type: 'greet', who: 'Ada' },
  run: ({ connections: { vault: { host, token } } }, { who }) =>
    Promise.resolve({ greeting: greeting(who), host, leak: \`the token is \${token}\` }),
});
`,
  'tasks/hold.ts': `import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineTask, fields, Type } from 'sluice';

export default defineTask({
  type: 'hold',
  description: 'Waits for a file.',
  summary: ({ path }) => path,
  params: Type.Object({ path: fields.text('Path', 'The file.', '/var/go.txt') }),
  result: Type.Object({ attempt: Type.Integer() }),
  connections: {},
  example: { name: 'hold', type: 'hold', path: '/var/go.txt' },
  async run({ attempt, signal }, { path }) {
    while (!existsSync(path)) await delay(50, undefined, { signal });
    return { attempt };
  },
});
`,
  'triggers/inbox.ts': `import { readFile } from 'node:fs/promises';
import { cannotReset, defineTrigger, fields, pollSource, Type } from 'sluice';

export default defineTrigger({
  type: 'inbox',
  description: 'Starts a run for each line of a file.',
  params: Type.Object({ path: fields.text('Path', 'The file.', '/var/inbox.txt') }),
  event: { value: { fields: { name: 'string' } } },
  sensor: {
    run: (context) =>
      pollSource<number>(context, {
        every: 200,
        begin: () => Promise.resolve(0),
        async poll(cursor) {
          const lines = (await readFile(String(context.trigger.source.path), 'utf8')).split('\\n').filter((line) => line !== '');
          const found = lines.slice(cursor).map((name) => ({
            id: name,
            event: { value: { name }, meta: { timestamp: new Date().toISOString() } },
          }));
          return { found, cursor: lines.length };
        },
      }),
    reset: cannotReset('the file is read from its start'),
  },
  example: { name: 'letters', type: 'inbox', path: '/var/inbox.txt' },
});
`,
  'channels/bell.ts': `import { defineChannel, postJson } from 'sluice';

export default defineChannel({
  name: 'bell',
  title: 'Bell',
  description: 'Ring a bell.',
  connection: { type: 'http', description: 'The connection with the bell.' },
  sendNotice: (connection, { action, page }, signal) => postJson('Bell', connection, { text: \`\${action}: \${page.summary}\` }, signal),
  sendMessage: (connection, { text }, signal) => postJson('Bell', connection, { text }, signal),
});
`,
} as const;

/** A pipeline that uses all of them. @param dagId the name of the pipeline @param inbox the file with the events */
export function ownPipeline(dagId: string, inbox = '/var/inbox.txt'): string {
  return `dag_id: ${dagId}
params: {who: Ada}
alerts: {bell: {}}
triggers:
  - {name: letters, type: inbox, path: ${inbox}, params: {who: "{{ event.name }}"}}
tasks:
  - {name: say_hello, type: greet, who: "{{ params.who }} of {{ conn.vault_default.host }}"}
  - {name: shout, type: shout, word: "{{ outputs.say_hello.greeting }}"}
  - {name: ring, type: notify, to: bell, message: all is well}
`;
}
