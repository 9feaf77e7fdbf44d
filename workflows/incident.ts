import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { checkRequest, type OperatorRequest } from './plan/runs/decision.ts';
import {
  ACKNOWLEDGE_INCIDENT,
  type ChannelMemory,
  INCIDENT_QUERY,
  type IncidentInput,
  type IncidentState,
  type Observation,
  OBSERVE,
  type Page,
  RESOLVE_INCIDENT,
} from './plan/incidents/incident.ts';
import { SEARCH_ATTRIBUTES } from './plan/runs/search-attributes.ts';
import { ChannelNotifier } from './notify-channel.ts';
import { refuseWhere } from './refuse-update.ts';

const LOG_LINES = 50;

/** An incident from start to end. Notifies each channel of every change, in order, until the channel accepts it. */
export async function SluiceIncident(input: IncidentInput): Promise<IncidentState> {
  const incident = new Incident(input);
  setHandler(INCIDENT_QUERY, () => incident.state);
  setHandler(OBSERVE, (observation) => incident.observe(observation));
  setHandler(ACKNOWLEDGE_INCIDENT, (request) => incident.acknowledge(request), { validator: refuseWhere(checkRequest) });
  setHandler(RESOLVE_INCIDENT, (request) => incident.resolve(request), { validator: refuseWhere(checkRequest) });
  return incident.run();
}

class Incident {
  private observed: Observation | undefined;
  private readonly openedAt: string;
  private readonly channels = new Map<string, ChannelNotifier>();
  private acknowledgedBy: string | undefined;
  private acknowledged = false;
  private log: string[];
  private shownState = '';

  constructor(private readonly input: IncidentInput) {
    const { before } = input;
    this.openedAt = before?.openedAt ?? workflowInfo().startTime.toISOString();
    this.log = [...(before?.log ?? [])];
    this.acknowledgedBy = before?.acknowledgedBy;
    this.acknowledged = before?.acknowledgedBy !== undefined;
    if (before) {
      this.observed = before.wanted;
      for (const memory of before.channels) this.addChannel(memory);
    }
  }

  private addChannel(memory: ChannelMemory): void {
    const notifier = new ChannelNotifier(
      this.input.key,
      memory,
      (line) => this.note(line),
      () => this.draw(),
    );
    this.channels.set(memory.channel, notifier);
  }

  get state(): IncidentState {
    const { key } = this.input;
    const channels = this.memories();
    const sent = (what: 'warning' | 'breach'): boolean => channels.some((each) => each.sent === what && each.open?.includes(what));
    const reported = sent('breach')
      ? this.acknowledgedBy === undefined
        ? 'triggered'
        : 'acknowledged'
      : sent('warning')
        ? 'warned'
        : 'open';
    const over = this.observed?.state === 'over' && this.notifiers().every((notifier) => notifier.isDone());
    return {
      key,
      state: over ? 'resolved' : reported,
      openedAt: this.openedAt,
      page: this.observed?.page ?? NO_PAGE,
      ...(this.acknowledgedBy !== undefined && { acknowledgedBy: this.acknowledgedBy }),
      channels,
      log: this.log,
    };
  }

  observe(observation: Observation): void {
    if (observation.state !== this.observed?.state) this.note(`${observation.state}: ${observation.page.summary}`);
    // The end of a problem keeps the description of the problem.
    this.observed = observation.state === 'over' && this.observed ? { ...this.observed, state: 'over' } : observation;
    // The first observation is already "over" if the previous incident was deleted. Its channels may have accepted the alert.
    const opened = observation.state === 'over' && this.observed === observation ? observation.opened : undefined;
    for (const [channel, { connection, takesUpdates }] of Object.entries(observation.alerts)) {
      if (this.channels.has(channel)) continue;
      const settings = { channel, connection, ...(takesUpdates !== undefined && { takesUpdates }) };
      this.addChannel({ ...settings, sent: 'nothing', ...(opened && { sent: opened, open: [opened] }) });
    }
    this.draw();
  }

  acknowledge({ by, reason }: OperatorRequest): string {
    this.acknowledgedBy = by;
    this.acknowledged = false;
    this.note(`acknowledged by ${by}${reason === undefined ? '' : `: ${reason}`}`);
    return `acknowledged by ${by}`;
  }

  resolve({ by, reason }: OperatorRequest): string {
    if (this.observed) this.observed = { ...this.observed, state: 'over' };
    this.note(`resolved by ${by}${reason === undefined ? '' : `: ${reason}`}`);
    return `resolved by ${by}`;
  }

  async run(): Promise<IncidentState> {
    for (;;) {
      await condition(() => this.observed !== undefined && (this.isDue() || this.isOver()));
      const { observed } = this;
      if (!observed) continue;
      if (this.isOver()) {
        await condition(allHandlersFinished);
        if (this.isOver()) return this.finish();
      }
      const due = this.notifiers().filter((notifier) => notifier.isDue(observed, this.failuresBeside(notifier)));
      // Each channel is notified independently, so an unreachable channel does not delay the others.
      for (const notifier of due) void notifier.notify(observed, this.failuresBeside(notifier)).finally(() => this.draw());
      if (!this.acknowledged && this.acknowledgedBy !== undefined) {
        this.acknowledged = true;
        for (const notifier of this.notifiers()) void notifier.acknowledge(observed.page, this.acknowledgedBy);
      }
      if (workflowInfo().continueAsNewSuggested) {
        await condition(() => this.notifiers().every((notifier) => !notifier.busy) && allHandlersFinished());
        await continueAsNew<typeof SluiceIncident>({
          key: this.input.key,
          before: {
            wanted: this.observed ?? observed,
            openedAt: this.openedAt,
            channels: this.memories(),
            ...(this.acknowledgedBy !== undefined && { acknowledgedBy: this.acknowledgedBy }),
            log: this.log,
          },
        });
      }
    }
  }

  private isDue(): boolean {
    const { observed } = this;
    if (!observed) return false;
    return (
      this.notifiers().some((notifier) => notifier.isDue(observed, this.failuresBeside(notifier))) ||
      (!this.acknowledged && this.acknowledgedBy !== undefined)
    );
  }

  private isOver(): boolean {
    return this.observed?.state === 'over' && this.notifiers().every((notifier) => !notifier.busy && notifier.isDone());
  }

  private finish(): IncidentState {
    this.draw();
    return this.state;
  }

  private notifiers(): ChannelNotifier[] {
    return [...this.channels.values()];
  }

  /** Why other channels do not deliver, to show in this channel. */
  private failuresBeside(notifier: ChannelNotifier): string[] {
    return this.notifiers().flatMap((other) => (other === notifier || other.undelivered === undefined ? [] : [other.undelivered]));
  }

  private memories(): ChannelMemory[] {
    return this.notifiers().map((notifier) => notifier.memory);
  }

  private note(line: string): void {
    this.log = [...this.log, `${new Date(Date.now()).toISOString()} ${line}`].slice(-LOG_LINES);
  }

  private draw(): void {
    const { state, page, log, channels } = this.state;
    if (state !== this.shownState) upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.state, value: (this.shownState = state) }]);
    const lines = channels.map(({ channel, sent, trouble }) => `${channel}: ${trouble === undefined ? sent : `not delivered: ${trouble}`}`);
    setCurrentDetails(`**${state}** ${page.summary}\n\n\`\`\`text\n${[...lines, ...log].join('\n')}\n\`\`\``);
  }
}

const NO_PAGE: Page = { summary: '', severity: 'info', source: '', kind: '', since: '', details: {}, links: [] };
