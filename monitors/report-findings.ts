import { channelNamed } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import { inTurns } from '../workflows/plan/values/in-turns.ts';
import type { MonitorMemory, Observation, OpenProblem, Page } from '../workflows/plan/incidents/incident.ts';
import type { AlertsPlan } from '../workflows/plan/incidents/sla.ts';
import { timeText } from '../workflows/plan/values/format.ts';
import { canonicalJson } from '../workflows/plan/values/json.ts';
import type { MonitorFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';

/** More new problems than this at once become one incident: they share a cause. */
const STORM = 20;

/** Maximum number of concurrent reports. */
const AT_ONCE = 20;

export interface ReportRules {
  /** Whether to delay new problems that dead workers explain. */
  readonly holdsBack: boolean;
  /** Whether a problem that was not found may still persist because it could not be checked. */
  isUnknown(key: string, problem: OpenProblem): boolean;
  /** The incident for many problems that start together. */
  readonly storm: string;
  readonly now: number;
  readonly channels: readonly ChannelDefinition[];
}

export interface Reported {
  readonly open: Record<string, OpenProblem>;
  /** The reported changes, one line each. */
  readonly lines: string[];
  /** Number of incidents that could not be updated; the next check tries again. */
  readonly failures: number;
}

/** Reports changes to the incidents: problems that started, got worse or ended, and problems whose incident was deleted. */
export async function reportFindings(
  findings: readonly Finding[],
  before: MonitorMemory['open'],
  facts: MonitorFacts,
  rules: ReportRules,
): Promise<Reported> {
  const report = new Report(before, facts, rules);
  await report.reportNew(findings);
  await report.reopenDeleted(findings);
  await report.reportEnded(findings);
  return { open: report.open, lines: report.lines, failures: report.failures };
}

class Report {
  readonly open: Record<string, OpenProblem>;
  readonly lines: string[] = [];
  failures = 0;

  constructor(
    private readonly before: MonitorMemory['open'],
    private readonly facts: MonitorFacts,
    private readonly rules: ReportRules,
  ) {
    this.open = { ...before };
  }

  async reportNew(findings: readonly Finding[]): Promise<void> {
    const { before, rules } = this;
    const news = findings.filter(({ key, state, waits }) =>
      before[key] ? before[key].state === 'warning' && state === 'breach' : !(rules.holdsBack && waits),
    );
    const opened = news.filter(({ key, state }) => state === 'breach' && !before[key]);
    const storms = stormsOf(opened, rules.storm);
    const together = new Set([...storms.values()].flat());
    for (const [incident, storm] of storms) await this.reportStorm(incident, storm);
    await inTurns(
      news.filter((finding) => !together.has(finding)),
      AT_ONCE,
      (finding) => this.reportOne(before[finding.key]?.incident ?? finding.key, finding),
    );
  }

  /** Starts a deleted incident again, because it must resolve the alerts it opened. */
  async reopenDeleted(findings: readonly Finding[]): Promise<void> {
    const { before } = this;
    const known = new Map(findings.map((finding) => [finding.key, finding]));
    const checked = Object.values(before).filter(({ isResolved }) => isResolved !== true);
    const lost = await this.facts.lostIncidents([...new Set(checked.map(({ incident }) => incident))], this.rules.now);
    for (const [incident, fate] of lost) {
      const keys = Object.keys(before).filter((key) => before[key]?.incident === incident);
      if (fate === 'ended') {
        for (const key of keys) if (this.open[key]) this.open[key] = { ...this.open[key], isResolved: true };
        continue;
      }
      const present = keys.flatMap((key) => known.get(key) ?? []);
      const [first] = present;
      if (!first) continue;
      // The key of an incident may begin with the deployment; that of a storm has another end.
      if (incident.endsWith(first.key)) await this.reportOne(incident, first);
      else await this.reportStorm(incident, present);
    }
  }

  async reportEnded(findings: readonly Finding[]): Promise<void> {
    const { before, open } = this;
    const present = new Set(findings.map(({ key }) => key));
    const ended = Object.entries(before).filter(([key, problem]) => !present.has(key) && !this.isUnknown(key, problem));
    for (const [key] of ended) Reflect.deleteProperty(open, key);
    const left = new Set(Object.values(open).map(({ incident }) => incident));
    const over = new Map(ended.filter(([, { incident }]) => !left.has(incident)).map(([, problem]) => [problem.incident, problem]));
    await inTurns([...over], AT_ONCE, async ([incident, { alerts = {}, state: opened }]) => {
      const page: Page = { ...NO_PAGE, summary: `${incident} resolved`, source: incident };
      if ((await this.observe(incident, () => Promise.resolve({ state: 'over', alerts, page, opened }))) !== undefined) return;
      // Keep it in memory, so that the next check ends it.
      for (const [key, problem] of ended) if (problem.incident === incident) open[key] = problem;
    });
  }

  /** Whether to keep a problem that could not be checked. One that an operator resolved is not kept forever. */
  private isUnknown(key: string, problem: OpenProblem): boolean {
    return problem.isResolved !== true && this.open[key]?.isResolved !== true && this.rules.isUnknown(key, problem);
  }

  private async reportOne(incident: string, finding: Finding): Promise<void> {
    const { key, state, alerts, run } = finding;
    const reported = await this.observe(incident, async () => ({ state, alerts, page: await finding.page() }));
    if (reported !== undefined) this.open[key] = { incident: reported, state, alerts, ...(run && { run }) };
  }

  private async reportStorm(incident: string, findings: readonly Finding[]): Promise<void> {
    const alerts = findings[0]?.alerts ?? {};
    const page = stormPage(findings, this.rules.now);
    const reported = await this.observe(incident, () => Promise.resolve({ state: 'breach', alerts, page }));
    if (reported === undefined) return;
    for (const { key, run } of findings) this.open[key] = { incident: reported, state: 'breach', alerts, ...(run && { run }) };
  }

  /** Updates one incident; a failure does not affect the others. @returns its key; undefined if it was not updated */
  private async observe(incident: string, observation: () => Promise<Observation>): Promise<string | undefined> {
    try {
      const observed = await observation();
      const alerts = withUpdates(observed.alerts, this.rules.channels);
      const key = (await this.facts.observe(incident, { ...observed, alerts })) ?? incident;
      this.lines.push(`→ incident/${key}: ${observed.state}`);
      return key;
    } catch (error) {
      this.failures++;
      this.lines.push(`✘ incident/${incident} could not be updated: ${errorText(error)}`);
      return undefined;
    }
  }
}

/**
 * Groups problems that start together by incident. Many problems of one pipeline form their own storm, so that it does not affect the pages
 * of other pipelines. The rest is grouped by alert channels, so that each team sees only its own problems.
 * @param incident for problems of several pipelines; its last part is the start time
 */
function stormsOf(opened: readonly Finding[], incident: string): Map<string, readonly Finding[]> {
  const byPipeline = new Map<string, Finding[]>();
  for (const finding of opened) {
    const { dagId } = finding;
    if (dagId !== undefined) byPipeline.set(dagId, [...(byPipeline.get(dagId) ?? []), finding]);
  }
  const own = [...byPipeline].filter(([, findings]) => findings.length >= STORM);
  const rest = opened.filter(({ dagId }) => !own.some(([pipeline]) => pipeline === dagId));
  return new Map([
    ...own.map(([dagId, findings]) => [`${dagId}/storm/${incident.split('/').at(-1) ?? ''}`, findings] as const),
    ...(rest.length >= STORM
      ? byChannels(rest).map((findings, index) => [index === 0 ? incident : `${incident}/${index + 1}`, findings] as const)
      : []),
  ]);
}

function byChannels(findings: readonly Finding[]): Finding[][] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const channels = canonicalJson(finding.alerts);
    groups.set(channels, [...(groups.get(channels) ?? []), finding]);
  }
  // A single problem is reported as itself.
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** Adds to each channel whether it takes updates: incidents know channels only by name. */
function withUpdates(alerts: AlertsPlan, channels: readonly ChannelDefinition[]): AlertsPlan {
  const notified = Object.entries(alerts).map(([name, alert]) => [
    name,
    { ...alert, takesUpdates: channelNamed(name, channels)?.takesUpdates === true },
  ]);
  return Object.fromEntries(notified) as AlertsPlan;
}

/** A page without details, for a problem that has ended. */
const NO_PAGE: Page = { summary: '', severity: 'info', source: '', kind: '', since: '', details: {}, links: [] };

function stormPage(findings: readonly Finding[], now: number): Page {
  const worst = (['critical', 'error', 'warning', 'info'] as const).find((severity) => findings.some((each) => each.severity === severity));
  const [first] = findings;
  return {
    summary: `${findings.length} problems started together: ${first?.line ?? ''}, and ${findings.length - 1} more. They may have one cause.`,
    severity: worst ?? 'error',
    source: 'sluice',
    kind: 'storm',
    since: timeText(now),
    details: {
      problems: findings.map(({ line }) => line),
      what_to_do: 'Check what they have in common: a database, a network, a deployment.',
    },
    links: [],
  };
}
