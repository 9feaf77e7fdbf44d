import { postJson } from '../lib/channels/post-json.ts';
import type { Notice } from '../workflows/plan/incidents/incident.ts';
import type { Severity } from '../workflows/plan/incidents/sla.ts';
import { defineChannel } from './define-channel.ts';

const MARKS = { warn: '⚠️', unwarn: '✅', trigger: '🔴', update: '🔴', acknowledge: '👀', resolve: '✅' } as const;
const WORDS = {
  warn: 'May breach',
  unwarn: 'Resolved',
  trigger: 'Breach',
  update: 'Breach',
  acknowledge: 'Acknowledged',
  resolve: 'Resolved',
} as const;

/** A run that waits for people is not broken, so it gets other symbols. */
const WAITING_MARKS = { ...MARKS, trigger: '✋', update: '✋' } as const;
const WAITING_WORDS = { ...WORDS, trigger: 'Waits for a decision', update: 'Waits for a decision', resolve: 'No longer waits' } as const;

const SEVERITY_MARKS: Readonly<Record<Severity, string>> = { critical: '🔴', error: '🔴', warning: '⚠️', info: 'ℹ️' };

/** A Slack webhook: one line per step, with links. Slack has no idempotency key: a message of an attempt that died is sent again. */
export const slack = defineChannel<'http'>({
  name: 'slack',
  title: 'Slack',
  description: 'Post to a Slack channel.',
  connection: { type: 'http', description: 'The connection with the webhook.', formerly: 'connection' },
  async sendNotice(connection, notice, signal) {
    await postJson('Slack', connection, { text: textOf(notice) }, signal);
  },
  async sendMessage(connection, { text, severity }, signal) {
    await postJson('Slack', connection, { text: `${SEVERITY_MARKS[severity]} ${escape(text)}` }, signal);
  },
});

function textOf({ action, page, by }: Notice): string {
  const links = page.links.map(({ href, text }) => `<${href}|${escape(text)}>`).join(' · ');
  const [marks, words] = page.kind === 'waits' ? [WAITING_MARKS, WAITING_WORDS] : [MARKS, WORDS];
  const headline = `${marks[action]} *${words[action]}${by === undefined ? '' : ` by ${escape(by)}`}*: ${escape(page.summary)}`;
  return links === '' ? headline : `${headline}\n${links}`;
}

/** Escapes a text so that it cannot contain mentions or links. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
