/** A process that runs tests beside others. */
export interface Lane {
  readonly name: string;
  /** The arguments of Node. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}
export declare function runLanes(lanes: readonly Lane[], print?: (text: string | Uint8Array) => void): Promise<number>;
