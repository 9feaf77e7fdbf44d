import { LineCounter } from 'yaml';

/** A text file whose lines can be shown. */
export class TextFile {
  private counted: LineCounter | undefined;

  constructor(
    readonly file: string,
    readonly text: string,
  ) {}

  /** Line starts. Counted here and not by the parser, so that files that are refused before parsing have positions too. */
  get lines(): LineCounter {
    if (this.counted) return this.counted;
    const lines = (this.counted = new LineCounter());
    lines.addNewLine(0);
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
    return lines;
  }
}
