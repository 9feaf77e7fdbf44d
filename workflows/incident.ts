import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { OperatorWord } from './plan/decision.ts';
import {
  ACKNOWLEDGE_INCIDENT,
  type Channel,
  type ChannelMemory,
  INCIDENT_QUERY,
  type IncidentInput,
  type IncidentState,
  type Notice,
  type Observation,
  OBSERVE,
  type Page,
  RESOLVE_INCIDENT,
} from './plan/incident.ts';
import { SEARCH_ATTRIBUTES } from './plan/search-attributes.ts';
import type { AlertsPlan } from './plan/sla.ts';

const STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.state.name, SEARCH_ATTRIBUTES.state.type);

const { notify } = proxyActivities<{ notify(notice: Notice): Promise<void> }>({
  startToCloseTimeout: '12s',
  scheduleToCloseTimeout: '24 hours',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** From one message of a key to the next: PagerDuty takes 120 a minute. */
const PAUSE = '500ms';
/** Messages that only change what is said come so far apart. */
const UPDATE_AFTER = 60_000;
const LOG_LINES = 50;

/** An incident, from the first sign of it to its end: it tells each channel what it has to know, in order, until the channel has taken it. */
export async function SluiceIncident(input: IncidentInput): Promise<IncidentState> {
  const incident = new Incident(input);
  setHandler(defineQuery<IncidentState>(INCIDENT_QUERY), () => incident.state);
  setHandler(defineSignal<[Observation]>(OBSERVE), (observation) => incident.observe(observation));
  setHandler(defineUpdate<string, [OperatorWord]>(ACKNOWLEDGE_INCIDENT), (word) => incident.acknowledge(word), { validator: checkWord });
  setHandler(defineUpdate<string, [OperatorWord]>(RESOLVE_INCIDENT), (word) => incident.resolve(word), { validator: checkWord });
  return incident.run();
}

function checkWord(word: OperatorWord): void {
  if (typeof word?.by !== 'string' || word.by.trim() === '')
    throw ApplicationFailure.nonRetryable('Say who decides, in `by`.', 'DecisionRefused');
}

class Incident {
  private wanted: Observation | undefined;
  private readonly openedAt: string;
  private readonly channels = new Map<Channel, Teller>();
  private acknowledgedBy: string | undefined;
  private acknowledged = false;
  private log: string[];
  private drawn = '';

  constructor(private readonly input: IncidentInput) {
    const { before } = input;
    this.openedAt = before?.openedAt ?? workflowInfo().startTime.toISOString();
    this.log = [...(before?.log ?? [])];
    this.acknowledgedBy = before?.acknowledgedBy;
    this.acknowledged = before?.acknowledgedBy !== undefined;
    if (before) {
      this.wanted = before.wanted;
      for (const memory of before.channels)
        this.channels.set(memory.channel, new Teller(this.input.key, memory, (line) => this.note(line)));
    }
  }

  get state(): IncidentState {
    const { key } = this.input;
    const channels = this.memories();
    const sent = (what: Observation['state']): boolean => channels.some((each) => each.sent === what && each.trouble === undefined);
    const told = sent('breach') ? (this.acknowledgedBy === undefined ? 'triggered' : 'acknowledged') : sent('warning') ? 'warned' : 'open';
    const over = this.wanted?.state === 'over' && this.tellers().every((teller) => teller.isDone());
    return {
      key,
      state: over ? 'resolved' : told,
      openedAt: this.openedAt,
      page: this.wanted?.page ?? NO_PAGE,
      ...(this.acknowledgedBy !== undefined && { acknowledgedBy: this.acknowledgedBy }),
      channels,
      log: this.log,
    };
  }

  observe(observation: Observation): void {
    if (observation.state !== this.wanted?.state) this.note(`${observation.state}: ${observation.page.summary}`);
    // What is over is described by what it was.
    this.wanted = observation.state === 'over' && this.wanted ? { ...this.wanted, state: 'over' } : observation;
    for (const [channel, connection] of channelsOf(observation.alerts)) {
      if (!this.channels.has(channel))
        this.channels.set(channel, new Teller(this.input.key, { channel, connection, sent: 'nothing' }, (line) => this.note(line)));
    }
    this.draw();
  }

  acknowledge({ by, reason }: OperatorWord): string {
    this.acknowledgedBy = by;
    this.acknowledged = false;
    this.note(`acknowledged by ${by}${reason === undefined ? '' : `: ${reason}`}`);
    return `acknowledged by ${by}`;
  }

  resolve({ by, reason }: OperatorWord): string {
    if (this.wanted) this.wanted = { ...this.wanted, state: 'over' };
    this.note(`resolved by ${by}${reason === undefined ? '' : `: ${reason}`}`);
    return `resolved by ${by}`;
  }

  async run(): Promise<IncidentState> {
    for (;;) {
      await condition(() => this.wanted !== undefined && (this.isDue() || this.isOver()));
      const { wanted } = this;
      if (!wanted) continue;
      if (this.isOver()) {
        await condition(allHandlersFinished);
        if (this.isOver()) return this.finish();
      }
      const due = this.tellers().filter((teller) => teller.isDue(wanted));
      // One channel that is away holds up no other: each goes on by itself.
      for (const teller of due) void teller.tell(wanted).finally(() => this.draw());
      if (!this.acknowledged && this.acknowledgedBy !== undefined) {
        this.acknowledged = true;
        for (const teller of this.tellers()) void teller.acknowledge(wanted.page, this.acknowledgedBy);
      }
      if (workflowInfo().continueAsNewSuggested) {
        await condition(() => this.tellers().every((teller) => !teller.busy) && allHandlersFinished());
        await continueAsNew<typeof SluiceIncident>({
          key: this.input.key,
          before: {
            wanted: this.wanted ?? wanted,
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
    const { wanted } = this;
    if (!wanted) return false;
    return this.tellers().some((teller) => teller.isDue(wanted)) || (!this.acknowledged && this.acknowledgedBy !== undefined);
  }

  private isOver(): boolean {
    return this.wanted?.state === 'over' && this.tellers().every((teller) => !teller.busy && teller.isDone());
  }

  private finish(): IncidentState {
    this.draw();
    return this.state;
  }

  private tellers(): Teller[] {
    return [...this.channels.values()];
  }

  private memories(): ChannelMemory[] {
    return this.tellers().map((teller) => teller.memory);
  }

  private note(line: string): void {
    this.log = [...this.log, `${new Date(Date.now()).toISOString()} ${line}`].slice(-LOG_LINES);
  }

  private draw(): void {
    const { state, page, log, channels } = this.state;
    if (state !== this.drawn) upsertSearchAttributes([{ key: STATE, value: (this.drawn = state) }]);
    const told = channels.map(({ channel, sent, trouble }) => `${channel}: ${trouble === undefined ? sent : `not told: ${trouble}`}`);
    setCurrentDetails(`**${state}** ${page.summary}\n\n\`\`\`text\n${[...told, ...log].join('\n')}\n\`\`\``);
  }
}

/** Tells one channel, one thing after the other. */
class Teller {
  /** It is being told something, or must not be told anything yet. */
  busy = false;
  /** Whether something is on its way that may open what nothing closes yet. */
  private onItsWay = false;
  private saidAt = 0;
  private said = '';
  private updates = false;

  constructor(
    private readonly key: string,
    public memory: ChannelMemory,
    private readonly note: (line: string) => void,
  ) {}

  /** Whether there is something to say to it. */
  isDue({ state, page }: Observation): boolean {
    if (this.busy) return false;
    const { sent, trouble } = this.memory;
    // What was never taken is not taken back; and what has come does not go back to a warning.
    if (state === 'over') return (sent === 'warning' || sent === 'breach') && trouble === undefined;
    if (state === 'warning') return sent === 'nothing' || sent === 'over';
    if (sent !== 'breach') return true;
    return this.updates && this.memory.channel === 'pagerduty' && JSON.stringify(page) !== this.said;
  }

  /** Whether nothing that the channel has taken, or may take yet, is open there. */
  isDone(): boolean {
    const { sent, trouble } = this.memory;
    return !this.onItsWay && (sent === 'over' || sent === 'nothing' || trouble !== undefined);
  }

  async tell({ state, page }: Observation): Promise<void> {
    const { channel, connection, sent } = this.memory;
    const text = JSON.stringify(page);
    this.busy = this.onItsWay = true;
    try {
      for (const action of actionsFor(sent, state)) {
        await notify({ channel, connection, action, key: this.key, page });
        this.memory = { channel, connection, sent: state };
        this.note(`${channel} has taken: ${action}`);
      }
      this.said = text;
    } catch (error) {
      const trouble = messageOf(error);
      // It is not said again until there is something new to say.
      this.memory = { channel, connection, sent: state, trouble };
      this.note(`${channel} has not taken: ${state}: ${trouble}`);
    }
    this.onItsWay = false;
    this.saidAt = Date.now();
    await sleep(PAUSE);
    this.busy = false;
    if (state === 'breach') void this.allowUpdates(this.saidAt);
  }

  async acknowledge(page: Page, by: string): Promise<void> {
    const { channel, connection } = this.memory;
    await condition(() => !this.busy);
    this.busy = true;
    try {
      await notify({ channel, connection, action: 'acknowledge', key: this.key, page, by });
    } catch (error) {
      this.note(`${channel} has not taken: acknowledge: ${messageOf(error)}`);
    }
    this.busy = false;
  }

  private async allowUpdates(saidAt: number): Promise<void> {
    this.updates = false;
    await sleep(UPDATE_AFTER);
    if (this.saidAt === saidAt) this.updates = true;
  }
}

function actionsFor(sent: ChannelMemory['sent'], state: Observation['state']): Notice['action'][] {
  switch (state) {
    case 'warning':
      return ['warn'];
    case 'breach':
      return sent === 'breach' ? ['update'] : sent === 'warning' ? ['trigger', 'unwarn'] : ['trigger'];
    case 'over':
      return [sent === 'warning' ? 'unwarn' : 'resolve'];
  }
}

const NO_PAGE: Page = { summary: '', severity: 'info', source: '', kind: '', since: '', details: {}, links: [] };

function channelsOf({ pagerduty, slack, webhook }: AlertsPlan): [Channel, string][] {
  return [
    ...(pagerduty ? [['pagerduty', pagerduty.connection] as [Channel, string]] : []),
    ...(slack ? [['slack', slack.connection] as [Channel, string]] : []),
    ...(webhook ? [['webhook', webhook.connection] as [Channel, string]] : []),
  ];
}

function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
