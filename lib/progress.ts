import pc from 'picocolors';
import { escapeLine } from '../workflows/plan/values/printable.ts';

/** One step in progress. It is silent after `done`, `fail` or `end`. */
export interface ProgressStep {
  /** Sets the current status, shown beside the label. */
  update(text: string): void;
  done(text?: string): void;
  fail(text: string): void;
  /** Ends with another outcome, shown with the symbol `mark`. */
  end(mark: string, text: string): void;
}

/** Shows long-running steps. Steps may run concurrently. */
export interface Progress {
  step(label: string): ProgressStep;
}

export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const QUIET_MS = 10_000;

/** On a terminal, shows a live line per step with seconds; elsewhere (CI, a file), a line per event and at most one update in 10 s. */
export function createProgress(stream: ProgressStream = process.stderr): Progress {
  return stream.isTTY === true ? new LiveProgress(stream) : new LineProgress(stream);
}

/** Shows nothing: for callers whose output is read by a program. */
export const silentProgress: Progress = { step: () => ({ update: () => {}, done: () => {}, fail: () => {}, end: () => {} }) };

class LineProgress implements Progress {
  readonly #stream: ProgressStream;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  step(label: string): ProgressStep {
    const began = performance.now();
    let text = '';
    let said = '';
    let ended = false;
    const say = (sign: string, tail: string, seconds = true) => {
      this.#stream.write(
        `${sign} ${escapeLine(label)}${tail === '' ? '' : `: ${escapeLine(tail)}`}${seconds ? ` (${secondsSince(began)})` : ''}\n`,
      );
    };
    // Use a timer, not the calls: the last update before a long silence matters most.
    const telling = setInterval(() => {
      if (text !== said) say('…', text);
      said = text;
    }, QUIET_MS);
    telling.unref();
    const end = (sign: string, tail: string) => {
      if (!ended) say(sign, tail);
      ended = true;
      clearInterval(telling);
    };
    say('…', '', false);
    return {
      update: (now) => {
        text = now;
      },
      done: (tail = '') => end('✓', tail),
      fail: (tail) => end('✗', tail),
      end,
    };
  }
}

interface LiveStep {
  readonly label: string;
  readonly began: number;
  text: string;
}

class LiveProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #steps = new Set<LiveStep>();
  #drawn = 0;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  step(label: string): ProgressStep {
    const step: LiveStep = { label, began: performance.now(), text: '' };
    this.#steps.add(step);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#draw(), FRAME_MS);
      this.#timer.unref();
    }
    this.#draw();
    return {
      update: (text) => {
        step.text = text;
      },
      done: (text) => this.#end(step, pc.green('✓'), text),
      fail: (text) => this.#end(step, pc.red('✗'), text),
      end: (mark, text) => this.#end(step, pc.dim(mark), text),
    };
  }

  #end(step: LiveStep, sign: string, text: string | undefined): void {
    if (!this.#steps.delete(step)) return;
    const tail = text === undefined || text === '' ? '' : ` ${pc.dim('·')} ${escapeLine(text)}`;
    this.#draw(`${sign} ${escapeLine(step.label)}${tail} ${pc.dim(secondsSince(step.began))}\n`);
    if (this.#steps.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Prints lines of ended steps above the live lines, which are redrawn below. */
  #draw(above = ''): void {
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const erase = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\u001b[J`;
    const lines = [...this.#steps].map((step) => this.#line(step));
    this.#drawn = lines.length;
    this.#stream.write(erase + above + lines.join(''));
  }

  #line(step: LiveStep): string {
    const seconds = secondsSince(step.began);
    // A wrapped line could not be erased.
    const room = Math.max(20, (this.#stream.columns ?? 80) - 4 - seconds.length);
    const plain = escapeLine(`${step.label}${step.text === '' ? '' : ` · ${step.text}`}`.replaceAll(/\s+/g, ' '));
    const text = plain.length > room ? `${plain.slice(0, room - 1)}…` : plain;
    return `${pc.cyan(FRAMES[this.#frame] ?? '')} ${text} ${pc.dim(seconds)}\n`;
  }
}

function secondsSince(began: number): string {
  const seconds = (performance.now() - began) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
