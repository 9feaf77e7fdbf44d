import type { Page } from '../../workflows/plan/incidents/incident.ts';

/** A page like those of monitors. */
export const SOME_PAGE: Page = {
  summary: 'sales failed',
  severity: 'critical',
  source: 'sales',
  kind: 'failed',
  since: '2024-01-02T00:00:00Z',
  details: { interval: '2024-01-01' },
  links: [{ href: 'http://127.0.0.1:8233/run', text: 'The run' }],
};
