import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type SlotNews, type SlotRequest, Slots } from '../../../workflows/plan/slots/slots.ts';

/** `a1` is the request 1 of group `a`; `a1*2` wants two slots, `a1!1` has priority 1. */
function request(text: string, onOverlap: SlotRequest['onOverlap'] = 'queue'): SlotRequest {
  const [, group = '', number, slots = '1', priority = '3'] = /^([a-z])(\d+)(?:\*(\d+))?(?:!(\d))?$/.exec(text) ?? [];
  const key = `${group}${number}`;
  return {
    key,
    workflowId: `${group}/${number}`,
    runId: key,
    what: 'run',
    group,
    slots: Number(slots),
    priority: Number(priority),
    onOverlap,
  };
}

const told = (news: readonly SlotNews[]): string =>
  news.map((each) => (each.kind === 'cancel' ? `cancel ${each.holder.key}` : `${each.kind} ${each.request.key}`)).join(', ');

/** Requests, `-a1` for a release, `=3` for a new capacity; what is told after each. */
function play(capacity: number, steps: string, onOverlap?: SlotRequest['onOverlap']): string {
  const slots = new Slots({ capacity, holders: [], waiting: [], served: [] });
  return steps
    .split(' ')
    .map((step) => {
      if (step.startsWith('-')) return told(slots.release(step.slice(1)));
      if (step.startsWith('=')) return told(slots.resize(Number(step.slice(1))));
      return told(slots.request(request(step, onOverlap)));
    })
    .join('; ');
}

describe('slots', () => {
  const CASES: readonly [title: string, capacity: number, steps: string, told: string][] = [
    ['first come, first served', 1, 'a1 a2 a3 -a1 -a2', 'granted a1; ; ; granted a2; granted a3'],
    ['a priority goes first', 1, 'a1 a2 a3!1 -a1 -a3', 'granted a1; ; ; granted a3; granted a2'],
    ['groups take turns', 1, 'a1 a2 a3 b1 b2 -a1 -b1 -a2 -b2', 'granted a1; ; ; ; ; granted b1; granted a2; granted b2; granted a3'],
    ['a group that holds less goes first', 3, 'a1 a2 b1 a3 b2 -a2', 'granted a1; granted a2; granted b1; ; ; granted a3'],
    ['several at once', 2, 'a1 a2*2 a3 -a1 -a2', 'granted a1; ; ; granted a2; granted a3'],
    ['small ones do not overtake a large one', 2, 'a1 b1*2 a2 -a1', 'granted a1; ; ; granted b1'],
    ['one that wants too many keeps nobody waiting', 2, 'a1*3 a2 =3 -a2', '; granted a2; ; granted a1'],
    ['asking twice is asking once', 1, 'a1 a1 a2 a2 -a1', 'granted a1; granted a1; ; ; granted a2'],
    ['giving up a place in the line', 1, 'a1 a2 a3 -a2 -a1', 'granted a1; ; ; ; granted a3'],
    ['giving back what one does not have', 1, 'a1 -b9 a2 -a1', 'granted a1; ; ; granted a2'],
    ['more room', 1, 'a1 a2 a3 =3', 'granted a1; ; ; granted a2, granted a3'],
    ['less room takes nothing away', 2, 'a1 a2 =1 a3 -a1 -a2', 'granted a1; granted a2; ; ; ; granted a3'],
    ['no room at all', 0, 'a1 =1', '; granted a1'],
  ];
  for (const [title, capacity, steps, expected] of CASES) it(title, () => assert.equal(play(capacity, steps), expected));

  it('skip and cancel_new: no waiting', () => {
    assert.equal(play(1, 'a1 a2 -a1 a3', 'skip'), 'granted a1; refused a2; ; granted a3');
    assert.equal(play(1, 'a1 a2', 'cancel_new'), 'granted a1; refused a2');
  });

  it('cancel_running: the oldest ends, once', () => {
    assert.equal(play(2, 'a1 a2 a3 a4 -a1 -a2', 'cancel_running'), 'granted a1; granted a2; cancel a1; cancel a2; granted a3; granted a4');
  });

  it('never holds more than there are, loses no request, and leaves none free that a request could have', () => {
    const step = fc.oneof(
      fc.record({
        ask: fc.integer({ min: 0, max: 30 }),
        group: fc.constantFrom('a', 'b', 'c'),
        slots: fc.integer({ min: 1, max: 3 }),
        priority: fc.integer({ min: 1, max: 5 }),
      }),
      fc.record({ release: fc.integer({ min: 0, max: 30 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 6 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
        let slots = new Slots({ capacity, holders: [], waiting: [], served: [] });
        const open = new Set<string>();
        for (const each of steps) {
          if ('ask' in each) {
            const key = `${each.group}${each.ask}`;
            open.add(key);
            slots.request({ ...request(`${key}*${each.slots}!${each.priority}`) });
          } else {
            for (const group of ['a', 'b', 'c']) {
              open.delete(`${group}${each.release}`);
              slots.release(`${group}${each.release}`);
            }
          }
          // As it goes on after a continue-as-new.
          slots = new Slots(slots.state);
          const { holders, waiting } = slots.state;
          assert.ok(slots.free >= 0);
          assert.deepEqual([...holders, ...waiting].map(({ key }) => key).sort(), [...open].sort());
          assert.ok(waiting.length === 0 || slots.free < 3, 'somebody waits beside room enough');
        }
      }),
    );
  });
});
