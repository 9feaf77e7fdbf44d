import { escapeForSlack, sayOnSlack } from '../lib/channels/slack.ts';
import type { Tell } from './channel.ts';

const MARKS = { warn: '⚠️', unwarn: '✅', trigger: '🔴', update: '🔴', acknowledge: '👀', resolve: '✅' } as const;
const WORDS = {
  warn: 'May breach',
  unwarn: 'All well',
  trigger: 'Breach',
  update: 'Breach',
  acknowledge: 'Acknowledged',
  resolve: 'Resolved',
} as const;

/** Of a run that waits for people nothing is broken. */
const WAITING_MARKS = { ...MARKS, trigger: '✋', update: '✋' } as const;
const WAITING_WORDS = { ...WORDS, trigger: 'Waits for people', update: 'Waits for people', resolve: 'No longer waits' } as const;

/** A webhook of Slack: a line for each step, with the links. */
export const tellSlack: Tell = async (connections, { connection, action, page, by }, signal) => {
  const links = page.links.map(({ href, text }) => `<${href}|${escapeForSlack(text)}>`).join(' · ');
  const [marks, words] = page.kind === 'waits' ? [WAITING_MARKS, WAITING_WORDS] : [MARKS, WORDS];
  const text = `${marks[action]} *${words[action]}${by === undefined ? '' : ` by ${escapeForSlack(by)}`}*: ${escapeForSlack(page.summary)}${links === '' ? '' : `\n${links}`}`;
  await sayOnSlack(connections.get(connection, ['http']), text, signal);
};
