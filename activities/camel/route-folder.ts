import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type ChildUser, giveFolder } from '../support/programs/child-user.ts';

/** Counts exchanges: a line for each that completed, and a file for each that failed, with the reason. */
const LEDGER_ROUTES = `- routeConfiguration:
    onCompletion:
      - onCompletion:
          onCompleteOnly: "true"
          steps:
            - setBody: {simple: "\${exchangeProperty.CamelCorrelationId}"}
            - toD: "file:{{sluice.ledger}}?fileName=completed&fileExist=Append&appendChars=\\\\n"
      - onCompletion:
          onFailureOnly: "true"
          steps:
            - setBody: {simple: "\${routeId}: \${exception.class.name}: \${exception.message}"}
            - toD: "file:{{sluice.ledger}}?fileName=failed-\${exchangeId}&tempPrefix=writing-"
`;

/** The folder in which a route runs: its files, what it writes, and the ledger of its exchanges. */
export class RouteFolder {
  /** On Java's class path. */
  readonly classes: string;
  readonly output: string;
  readonly temporary: string;
  private readonly ledger: string;

  constructor(private readonly path: string) {
    this.classes = join(path, 'classes');
    this.output = join(path, 'output');
    this.temporary = join(path, 'tmp');
    this.ledger = join(path, 'ledger');
  }

  /**
   * @param secrets lines of Java properties that the route may use
   * @param idle seconds without an exchange after which the route ends
   * @throws ApplicationFailure `AccessDenied` when the user cannot reach the folder
   */
  async prepare(given: {
    readonly definition: string;
    readonly placeholders: Readonly<Record<string, string>>;
    readonly secrets: string;
    readonly idle: number;
    readonly user: ChildUser | undefined;
  }): Promise<void> {
    for (const folder of [this.classes, this.output, this.temporary, this.ledger]) await mkdir(folder);
    const own = {
      ...given.placeholders,
      output: this.output,
      'sluice.ledger': this.ledger,
      'camel.main.routesIncludePattern': ['route.yaml', 'sluice.yaml'].map((name) => `file:${join(this.classes, name)}`).join(','),
      'camel.main.durationMaxIdleSeconds': String(given.idle),
      // Exchanges under way are completed: `execution_timeout` limits the task.
      'camel.main.shutdownTimeout': '86400',
    };
    const lines = Object.entries(own).map(([key, value]) => `${escaped(key)}=${escaped(value)}\n`);
    await writeFile(join(this.classes, 'application.properties'), `${given.secrets}\n${lines.join('')}`, { mode: 0o600 });
    await writeFile(join(this.classes, 'route.yaml'), given.definition);
    await writeFile(join(this.classes, 'sluice.yaml'), LEDGER_ROUTES);
    await giveFolder(this.path, given.user);
  }

  /** The first reason for which an exchange failed; undefined if none did. */
  async firstFailure(): Promise<string | undefined> {
    const names = (await readdir(this.ledger)).filter((name) => name.startsWith('failed-'));
    const files = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(this.ledger, name))).mtimeMs })));
    const [first] = files.sort((a, b) => a.at - b.at);
    return first && readFile(join(this.ledger, first.name), 'utf8');
  }

  /** The number of exchanges that completed: one that passes through several routes counts once. */
  async completed(): Promise<number> {
    const text = await readFile(join(this.ledger, 'completed'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    return new Set(text.split('\n').filter((line) => line !== '')).size;
  }

  /** The files that the route has written, by their path within `output`, sorted. */
  async files(): Promise<readonly string[]> {
    const entries = await readdir(this.output, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(this.output, join(entry.parentPath, entry.name)));
    return paths.map((path) => path.split(sep).join('/')).sort();
  }
}

/** Text in a file of Java properties. */
function escaped(text: string): string {
  return text.replace(/[^\w./-]/g, (character) => {
    return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  });
}
