import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  type ChannelStatus,
  isNoticeDue,
  noticesFor,
  type OpenAlert,
  openAfter,
} from '../../../workflows/plan/incidents/channel-notices.ts';
import type { Notice, Observation } from '../../../workflows/plan/incidents/incident.ts';
import { caseCount } from '../../support/random-cases.ts';
import { SOME_PAGE } from '../../support/some-page.ts';

type State = Observation['state'];
type Outcome = Parameters<typeof openAfter>[2];

/** What a channel is sent for each observation, in order. */
const SENT: readonly (readonly [state: State, open: readonly OpenAlert[], notices: readonly Notice['action'][]])[] = [
  ['warning', [], ['warn']],
  ['breach', [], ['trigger']],
  ['breach', ['warning'], ['trigger', 'unwarn']],
  ['breach', ['breach'], ['update']],
  ['over', [], []],
  ['over', ['warning'], ['unwarn']],
  ['over', ['breach'], ['resolve']],
  ['over', ['warning', 'breach'], ['unwarn', 'resolve']],
];

/** What is open after a notice. */
const OPEN: readonly (readonly [open: readonly OpenAlert[], action: Notice['action'], outcome: Outcome, after: readonly OpenAlert[]])[] = [
  [[], 'trigger', 'sent', ['breach']],
  [[], 'trigger', 'accepted', ['breach']],
  [[], 'trigger', 'refused', []],
  [[], 'trigger', 'failed', ['breach']],
  [['breach'], 'update', 'refused', ['breach']],
  [['breach'], 'resolve', 'sent', ['breach']],
  [['breach'], 'resolve', 'accepted', []],
  [['breach'], 'resolve', 'refused', []],
  [['warning'], 'unwarn', 'accepted', []],
  [['warning', 'breach'], 'unwarn', 'accepted', ['breach']],
  [['breach'], 'acknowledge', 'accepted', ['breach']],
];

const status = (change: Partial<ChannelStatus> = {}, memory: Partial<ChannelStatus['memory']> = {}): ChannelStatus => ({
  memory: { channel: 'pagerduty', sent: 'nothing', ...memory },
  open: new Set(),
  mayUpdate: true,
  saidFailures: '[]',
  ...change,
});
const seen = (state: State) => ({ state, page: SOME_PAGE });
const OTHER_PAGE = JSON.stringify({ ...SOME_PAGE, summary: 'other' });

/** Whether a notice is due. */
const DUE: readonly (readonly [what: string, status: ChannelStatus, state: State, failures: readonly string[], due: boolean])[] = [
  ['a first warning', status(), 'warning', [], true],
  ['a first breach', status(), 'breach', [], true],
  ['a breach after a warning', status({ open: new Set(['warning']) }, { sent: 'warning' }), 'breach', [], true],
  ['a warning after a breach', status({ open: new Set(['breach']) }, { sent: 'breach' }), 'warning', [], false],
  ['the same breach', status({ open: new Set(['breach']) }, { sent: 'breach', said: JSON.stringify(SOME_PAGE) }), 'breach', [], false],
  ['another text', status({ open: new Set(['breach']) }, { sent: 'breach', said: OTHER_PAGE }), 'breach', [], true],
  [
    'another text too soon',
    status({ mayUpdate: false, open: new Set(['breach']) }, { sent: 'breach', said: OTHER_PAGE }),
    'breach',
    [],
    false,
  ],
  [
    'another text, for a channel that takes none',
    status({ open: new Set(['breach']) }, { sent: 'breach', said: OTHER_PAGE, takesUpdates: false }),
    'breach',
    [],
    false,
  ],
  [
    'another channel that does not deliver',
    status({ mayUpdate: false, open: new Set(['breach']) }, { sent: 'breach', said: JSON.stringify(SOME_PAGE) }),
    'breach',
    ['slack does not deliver'],
    true,
  ],
  ['the end of what is open', status({ open: new Set(['breach']) }, { sent: 'breach' }), 'over', [], true],
  ['the end of what was never accepted', status({}, { sent: 'breach' }), 'over', [], false],
  ['a breach that is back', status({}, { sent: 'over' }), 'breach', [], true],
];

describe('notices of incidents', () => {
  for (const [state, open, notices] of SENT)
    it(`${state} with ${open.join(' and ') || 'nothing'} open: ${notices.join(', ') || 'none'}`, () => {
      assert.deepEqual(noticesFor(state, new Set(open)), notices);
    });

  for (const [open, action, outcome, after] of OPEN)
    it(`${open.join(' and ') || 'nothing'} open, ${action} ${outcome}: ${after.join(' and ') || 'nothing'} is open`, () => {
      assert.deepEqual([...openAfter(new Set(open), action, outcome)], after);
    });

  for (const [what, before, state, failures, due] of DUE)
    it(`${what} is ${due ? '' : 'not '}due`, () => assert.equal(isNoticeDue(before, seen(state), failures), due));

  it('page once, and resolve what channels have accepted, in any order of observations', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<State>('warning', 'breach', 'over'), { maxLength: 12 }), (states) => {
        let [open, sent]: [ReadonlySet<OpenAlert>, ChannelStatus['memory']['sent']] = [new Set(), 'nothing'];
        const shown = new Set<string>();
        for (const state of [...states, 'over'] as const) {
          if (!isNoticeDue(status({ open }, { sent, said: JSON.stringify(SOME_PAGE) }), seen(state), [])) continue;
          for (const action of noticesFor(state, open)) {
            open = openAfter(openAfter(open, action, 'sent'), action, 'accepted');
            const [opens, alert] = STEPS[action] ?? [true, 'none'];
            assert.equal(shown.has(alert), !opens, `${states.join(', ')}: ${action}`);
            if (opens) shown.add(alert);
            else shown.delete(alert);
          }
          sent = state;
        }
        assert.deepEqual([...shown], [], states.join(', '));
      }),
      { numRuns: caseCount(2_000), seed: 25 },
    );
  });
});

/** What a channel shows after a notice. */
const STEPS: Partial<Record<Notice['action'], readonly [opens: boolean, alert: string]>> = {
  warn: [true, 'warning'],
  unwarn: [false, 'warning'],
  trigger: [true, 'breach'],
  resolve: [false, 'breach'],
};
