/** A test of the code that test/house/additions.test.ts adds to a copy of the repository; it runs there. */
export const ADDED_TEST = String.raw`
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import { greet } from '../../activities/greet.ts';
import { Compiler } from '../../compiler/compile.ts';
import { ResourceCompiler } from '../../compiler/compile-resources.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { definitionOf } from '../../connections/catalog.ts';
import { parseConnection } from '../../connections/parse.ts';
import { secretsIn } from '../../connections/secrets.ts';
import { GENERATED_PAGES } from '../../dev/generate-docs.ts';
import { Scrubber } from '../../lib/scrubbing/scrub.ts';
import { notify } from '../../monitors/notify.ts';
import { slaText } from '../../monitors/sla-text.ts';
import { RESOURCES } from '../../resources/catalog.ts';
import { feed } from '../../sensors/feed.ts';
import { deadlineOf } from '../../workflows/plan/timetable/deadlines.ts';
import { openInbox } from '../support/inbox.ts';
import { sensorInMemory } from '../support/memory-sensor.ts';
import { runTask } from '../support/run-task.ts';
import { SOME_PAGE } from '../support/some-page.ts';
import { filesWithTypeErrors } from '../support/type-check.ts';

const compiler = new Compiler(CATALOG);
const compile = (lines: string) => compiler.compile({ file: 'x.yaml', text: 'dag_id: x\n' + lines });
const mistakes = (lines: string): string => compile(lines).diagnostics.map(({ code, message, hint }) => [code, message, hint].join(' ')).join('\n');
const page = (name: string): string => GENERATED_PAGES[name]?.() ?? '';

describe('what was added', function () {
  this.timeout('2m');

  it('compiles', () => {
    const added = ['activities/greet.ts', 'sensors/feed.ts', 'connections/ftp.ts', 'channels/teams.ts', 'resources/shared-folder.ts'];
    const usedBy = ['worker.ts', 'scheduler.ts', 'cli.ts', 'compiler/compile.ts', 'compiler/schema/sla-schema.ts', 'monitors/sla-text.ts', 'compiler/resolve/resolve-slas.ts'];
    assert.deepEqual(filesWithTypeErrors([...added, ...usedBy], []), []);
  });

  it('a task type is compiled, checked, documented, typed and run', async () => {
    const { plan } = compile('tasks: [{name: a, type: greet, who: Ada}, {name: b, type: empty, when: outputs.a.greeting == "x"}]');
    assert.deepEqual(plan?.tasks[0]?.params, { who: 'Ada' });
    assert.match(mistakes('tasks: [{name: a, type: greet, wo: Ada}]'), /SL201.*did you mean 'who'/);
    assert.match(mistakes('tasks: [{name: a, type: greet, who: A}, {name: b, type: empty, when: outputs.a.greting == "x"}]'), /greting/);
    assert.match(page('02-task-types.md'), /^## greet$/m);
    assert.ok(JSON.stringify(compiler.schema).includes('The name to greet.'));
    assert.deepEqual(await runTask(greet, { params: { who: 'Ada' }, environment: {} }), { greeting: 'Hello, Ada, on 2024-01-01!' });
  });

  it('a trigger type is compiled, checked, documented, and starts runs', async () => {
    const trigger = (when: string): string => 'tasks: [{name: a, type: empty}]\ntriggers: [{name: t, type: feed, path: /news.json, when: \'' + when + '\'}]';
    assert.equal(mistakes(trigger('event.title.contains("a") && event_meta.position > 0')), '');
    assert.match(mistakes(trigger('event.titel == "a"')), /titel/);
    assert.match(mistakes(trigger('true').replace('path', 'conn_id: aws_default, path')), /'aws_default' is of type aws/);
    assert.match(page('09-triggers.md'), /^## feed$/m);

    const entries = [{ id: 'a', title: 'first' }, { id: 'b', title: 'second' }];
    const server = createHttpServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(entries));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { sensor, starts, stop } = sensorInMemory('type: feed, path: /news.json, when: event.id != "a"', 'http://127.0.0.1:' + (server.address() as AddressInfo).port);
    starts.onStart = () => setImmediate(() => stop.abort());
    await assert.rejects(feed.sensor?.run(sensor) ?? Promise.resolve(), { name: 'AbortError' });
    server.close();
    assert.deepEqual(starts.last, ['b']);
    assert.equal(sensor.journal.cursor, 2);
  });

  it('a connection type is read, checked, documented, hidden, and in expressions', async () => {
    const uri = 'ftp://ann:p%40ss@files:2121';
    assert.deepEqual(parseConnection('x', uri), { type: 'ftp', host: 'files', port: 2121, user: 'ann', password: 'p@ss' });
    assert.deepEqual(secretsIn('x', uri), [{ value: 'p@ss', user: 'ann' }]);
    assert.match(page('08-connections.md'), /^## ftp$/m);
    const task = (field: string): string => 'tasks: [{name: a, type: greet, who: "{{ conn.ftp_default.' + field + ' }}"}]';
    assert.equal(mistakes(task('host')), '');
    assert.match(mistakes(task('password')), /password/);
    const server = createServer((socket) => socket.end('220 ready\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const here = { type: 'ftp', host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'ann', password: 'x' };
    assert.equal(await definitionOf('ftp')?.check(here, new AbortController().signal), '220 ready');
    server.close();
  });

  it('a channel is a key of alerts, a place to notify, and gets notices', async () => {
    const { plan } = compile('alerts: {teams: {}}\ntasks: [{name: a, type: notify, to: teams, message: all good}]');
    assert.deepEqual(plan?.alerts, { teams: { connection: 'teams_default' } });
    assert.match(mistakes('alerts: {teems: {}}\ntasks: [{name: a, type: empty}]'), /did you mean 'teams'/);
    assert.match(page('02-task-types.md'), /\bteams\b/);
    const inbox = await openInbox();
    const notice = { channel: 'teams', connection: 'teams_default', action: 'trigger', key: 'x/failed', page: SOME_PAGE } as const;
    await notify(connectionsFrom({ SLUICE_CONN_TEAMS_DEFAULT: inbox.url }), new Scrubber([]), notice);
    inbox.close();
    assert.deepEqual(inbox.seen.map(({ body }) => body), [{ text: 'trigger: ' + SOME_PAGE.summary }]);
  });

  it('a resource type is compiled, checked and documented', () => {
    const compiler = new ResourceCompiler(RESOURCES);
    const of = (key: string) => compiler.compileAll([{ file: 'x.yaml', text: 'resources: [{name: orders, type: shared_folder, ' + key + ': data}]' }])[0];
    assert.deepEqual(of('owner')?.resources?.[0]?.keys, { owner: 'data' });
    assert.equal(of('onwer')?.diagnostics[0]?.hint, "did you mean 'owner'?");
    assert.match(page('14-resources.md'), /^## shared_folder$/m);
  });

  it('an SLA reference is compiled, checked, in the editor, in deadlines and in pages', () => {
    const sla = 'sla: [{name: soon, within: 1h, reference: data_interval_middle}]\ntasks: [{name: a, type: empty}]';
    const [planned] = compile('schedule_interval: "@daily"\n' + sla).plan?.slas ?? [];
    assert.ok(planned);
    assert.match(mistakes(sla), /no schedule/);
    assert.ok(JSON.stringify(compiler.schema).includes('data_interval_middle: the middle of the interval'));
    const deadline = deadlineOf(planned, 'UTC', { interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' } });
    assert.equal(deadline?.at, Date.parse('2024-01-01T13:00:00Z'));
    assert.match(slaText(planned, deadline.at, 'UTC'), /1h after the middle of its interval/);
  });
});
`;
