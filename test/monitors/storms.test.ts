import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CHANNELS } from '../../channels/catalog.ts';
import type { MonitorFacts } from '../../monitors/facts.ts';
import type { Finding } from '../../monitors/finding.ts';
import { reportFindings } from '../../monitors/report-findings.ts';
import type { Observation } from '../../workflows/plan/incidents/incident.ts';
import { SOME_PAGE } from '../support/some-page.ts';

const AT = '2024-01-02T03:00:00Z';
const STORM = `q/storm/${AT}`;

/** Problems of pipelines, each told to the PagerDuty connection of a team. */
function problems(dagId: string, team: string, count = 1): Finding[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `${dagId}/failed/${index}`,
    dagId,
    state: 'breach',
    alerts: { pagerduty: { connection: team } },
    waits: false,
    line: `${dagId} failed`,
    severity: 'error',
    page: () => Promise.resolve(SOME_PAGE),
  }));
}

/** Who is told of what, by incident. */
async function told(findings: readonly Finding[]): Promise<Record<string, string | undefined>> {
  const seen: Record<string, string | undefined> = {};
  const facts = {
    lostIncidents: () => Promise.resolve(new Map()),
    observe(incident: string, { alerts }: Observation): Promise<void> {
      seen[incident] = alerts.pagerduty?.connection;
      return Promise.resolve();
    },
  } as unknown as MonitorFacts;
  const { failures } = await reportFindings(findings, {}, facts, {
    holdsBack: false,
    isUnknown: () => false,
    storm: STORM,
    now: Date.parse(AT),
    channels: CHANNELS,
  });
  assert.equal(failures, 0);
  return seen;
}

describe('problems that begin together', () => {
  const others = (count: number, team: string): Finding[] =>
    Array.from({ length: count }, (_, index) => problems(`${team}_${index}`, team)).flat();

  it('of one pipeline are a separate storm: another pipeline has its page, sent to its own team', async () => {
    assert.deepEqual(await told([...problems('victim', 'finance'), ...problems('greedy', 'data', 150)]), {
      'victim/failed/0': 'finance',
      [`greedy/storm/${AT}`]: 'data',
    });
  });

  it('of many pipelines are one storm for each team', async () => {
    assert.deepEqual(await told([...others(12, 'data'), ...others(12, 'finance')]), { [STORM]: 'data', [`${STORM}/2`]: 'finance' });
    assert.deepEqual(await told([...problems('alone', 'finance'), ...others(19, 'data')]), {
      'alone/failed/0': 'finance',
      [STORM]: 'data',
    });
  });

  it('are reported one by one where they are few', async () => {
    assert.equal(Object.keys(await told(others(19, 'data'))).length, 19);
    assert.deepEqual(await told(others(20, 'data')), { [STORM]: 'data' });
  });
});
