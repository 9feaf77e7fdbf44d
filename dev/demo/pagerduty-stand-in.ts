import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer, globalAgent, type Server } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../servers/run-tool.ts';

/** An event in the format of Events API v2. */
export interface ReceivedEvent {
  readonly routing_key: string;
  readonly event_action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedup_key: string;
  readonly payload: {
    readonly summary: string;
    readonly source: string;
    readonly severity: string;
    readonly timestamp?: string;
    readonly custom_details: Record<string, unknown>;
  };
  readonly links: readonly { readonly href: string; readonly text: string }[];
}

/**
 * How a request fails. `accept` succeeds, so that a later request fails instead; `accept-and-hang-up` accepts the event but does not
 * answer.
 */
export type Fault =
  | { readonly kind: 'accept' }
  | { readonly kind: 'status'; readonly status: number; readonly body?: string; readonly type?: string; readonly location?: string }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'accept-and-hang-up' };

/** A stand-in for PagerDuty's Events API v2 over HTTPS, with its limits and responses. Fails on request. */
export class PagerDutyStandIn {
  /** All accepted events, in order. */
  readonly events: ReceivedEvent[] = [];
  readonly changes: unknown[] = [];
  /** How often an alert was opened, by deduplication key. */
  readonly opened = new Map<string, number>();
  readonly open = new Set<string>();
  /** Violations of PagerDuty's rules. */
  readonly complaints: string[] = [];
  /** Faults for the next requests, in order. */
  readonly faults: Fault[] = [];
  /** The fault for every request; undefined for none. */
  always: Fault | undefined;
  /** Maximum number of concurrent requests for one key. */
  mostAtOnce = 0;
  private readonly busy = new Map<string, number>();

  private constructor(
    private readonly server: Server,
    readonly certificate: string,
    readonly certificateFile: string,
  ) {}

  static async start(): Promise<PagerDutyStandIn> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-pagerduty-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    await runTool('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
    ]);
    const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
    const standIn = new PagerDutyStandIn(server, readFileSync(certificate, 'utf8'), certificate);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => standIn.answer(request.url ?? '', Buffer.concat(chunks), response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // This process trusts the certificate here; other processes trust it through NODE_EXTRA_CA_CERTS.
    globalAgent.options.ca = standIn.certificate;
    return standIn;
  }

  /** The connection `pagerduty_default` of an environment. */
  get environment(): Record<string, string> {
    return { SLUICE_CONN_PAGERDUTY_DEFAULT: `pagerduty://${ROUTING_KEY}@${this.host}`, NODE_EXTRA_CA_CERTS: this.certificateFile };
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    delete globalAgent.options.ca;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** The actions of a key's events. */
  actionsOf(key: string): string[] {
    return this.events.filter(({ dedup_key }) => dedup_key === key).map(({ event_action }) => event_action);
  }

  private answer(url: string, body: Buffer, response: ServerResponse): void {
    const event = JSON.parse(body.toString()) as ReceivedEvent;
    const key = event.dedup_key ?? '';
    this.busy.set(key, (this.busy.get(key) ?? 0) + 1);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.busy.get(key) ?? 0);
    response.on('close', () => this.busy.set(key, (this.busy.get(key) ?? 1) - 1));
    const faults = this.faults.shift() ?? this.always;
    switch (faults?.kind) {
      case 'status':
        response
          .writeHead(faults.status, {
            'content-type': faults.type ?? 'application/json',
            ...(faults.location !== undefined && { location: faults.location }),
          })
          .end(faults.body ?? '{"status":"trouble"}');
        return;
      case 'reset':
        response.socket?.destroy();
        return;
      case 'hang':
        return;
      case 'accept-and-hang-up':
        this.take(url, event, body);
        response.socket?.destroy();
        return;
      case 'accept':
      case undefined: {
        const wrong = this.take(url, event, body);
        if (wrong.length > 0)
          response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'invalid event', errors: wrong }));
        else
          response
            .writeHead(202, { 'content-type': 'application/json' })
            .end(JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: key }));
      }
    }
  }

  private take(url: string, event: ReceivedEvent, body: Buffer): string[] {
    if (url === '/v2/change/enqueue') {
      this.changes.push(event);
      return [];
    }
    const wrong = mistakesOf(event, body);
    this.complaints.push(...wrong);
    if (wrong.length > 0) return wrong;
    const { dedup_key: key, event_action: action } = event;
    this.events.push(event);
    if (action === 'trigger' && !this.open.has(key)) {
      this.open.add(key);
      this.opened.set(key, (this.opened.get(key) ?? 0) + 1);
    }
    if (action === 'resolve' && !this.open.delete(key)) this.complaints.push(`${key} is resolved and was not open`);
    return [];
  }
}

export const ROUTING_KEY = '0123456789abcdef0123456789abcdef';

function mistakesOf({ routing_key, event_action, dedup_key, payload, links }: ReceivedEvent, body: Buffer): string[] {
  return [
    ...(body.length > 512 * 1024 ? [`the event has ${body.length} bytes`] : []),
    ...(routing_key !== ROUTING_KEY ? ['routing_key is wrong'] : []),
    ...(!['trigger', 'acknowledge', 'resolve'].includes(event_action) ? [`event_action is ${event_action}`] : []),
    ...(typeof dedup_key !== 'string' || dedup_key.length > 255 ? ['dedup_key is too long'] : []),
    ...(typeof payload?.summary !== 'string' || payload.summary === '' || Buffer.byteLength(payload.summary) > 1024
      ? ['summary is missing or too long']
      : []),
    ...(typeof payload?.source !== 'string' || payload.source === '' ? ['source is missing'] : []),
    ...(!['critical', 'error', 'warning', 'info'].includes(payload?.severity) ? [`severity is ${payload?.severity}`] : []),
    ...(payload?.timestamp !== undefined && Number.isNaN(Date.parse(payload.timestamp)) ? ['timestamp is not a time'] : []),
    ...((links ?? []).some(({ href }) => !/^https?:/.test(href)) ? ['a link is none'] : []),
  ];
}
