import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../lib/environment.ts';

/** Zero-based, as in the protocol. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** A problem that the editor underlines. */
export interface EditorDiagnostic {
  readonly range: { readonly start: Position };
  readonly message: string;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

const ENTRY = join(ROOT, 'node_modules', 'yaml-language-server', 'bin', 'yaml-language-server');
/** Less than a test's timeout; the server answers within milliseconds after reading its schema. */
const ANSWER_MS = 20_000;

/** A client of the YAML language server that behaves like an editor: https://microsoft.github.io/language-server-protocol */
export class LanguageServer {
  private readonly child = spawn(process.execPath, [ENTRY, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  private readonly answers = new Map<number, (result: unknown) => void>();
  private readonly published = new Map<string, (diagnostics: readonly EditorDiagnostic[]) => void>();
  private received = Buffer.alloc(0);
  private requests = 0;

  private constructor() {
    this.child.stdout.on('data', (data: Buffer) => {
      this.received = Buffer.concat([this.received, data]);
      for (let message = this.next(); message; message = this.next()) this.take(message);
    });
  }

  /** Starts the server for one folder, with the settings of an editor only. */
  static async start(folder: string): Promise<LanguageServer> {
    const server = new LanguageServer();
    const uri = pathToFileURL(folder).href;
    await server.request('initialize', {
      processId: process.pid,
      rootUri: uri,
      workspaceFolders: [{ uri, name: 'pipelines' }],
      capabilities: {
        workspace: { configuration: true },
        textDocument: { completion: { completionItem: { snippetSupport: false, documentationFormat: ['markdown'] } } },
      },
    });
    server.send({ method: 'initialized', params: {} });
    return server;
  }

  /** Opens a text under the name `file`. @returns the problems that the server finds */
  async open(file: string, text: string): Promise<readonly EditorDiagnostic[]> {
    const uri = pathToFileURL(file).href;
    const diagnostics = this.within<readonly EditorDiagnostic[]>(`diagnostics of ${file}`, (resolve) => this.published.set(uri, resolve));
    this.send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } });
    return diagnostics;
  }

  /** The completions at a position. */
  async complete(file: string, position: Position): Promise<readonly string[]> {
    const result = await this.request('textDocument/completion', { textDocument: { uri: pathToFileURL(file).href }, position });
    return (result as { items: { label: string }[] }).items.map(({ label }) => label);
  }

  /** The hover text at a position. */
  async hover(file: string, position: Position): Promise<string> {
    const result = await this.request('textDocument/hover', { textDocument: { uri: pathToFileURL(file).href }, position });
    return (result as { contents: { value: string } } | null)?.contents.value ?? '';
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill();
    await ended;
  }

  private request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.requests;
    const answer = this.within(method, (resolve) => this.answers.set(id, resolve));
    this.send({ id, method, params });
    return answer;
  }

  private within<T>(what: string, listen: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the language server does not answer: ${what}`)), ANSWER_MS);
      listen((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  private send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  private next(): Message | undefined {
    const head = this.received.indexOf('\r\n\r\n');
    if (head < 0) return undefined;
    const length = Number(/Content-Length: (\d+)/.exec(this.received.subarray(0, head).toString())?.[1]);
    const end = head + 4 + length;
    if (this.received.length < end) return undefined;
    const message = JSON.parse(this.received.subarray(head + 4, end).toString()) as Message;
    this.received = this.received.subarray(end);
    return message;
  }

  private take({ id, method, params, result }: Message): void {
    if (method === undefined) {
      if (id !== undefined) this.answers.get(id)?.(result);
    } else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: readonly EditorDiagnostic[] };
      this.published.get(uri)?.(diagnostics);
    } else if (id !== undefined) {
      // The server asks for settings: return none.
      const items = (params as { items?: readonly unknown[] } | undefined)?.items;
      this.send({ id, result: items ? items.map(() => null) : null });
    }
  }
}
