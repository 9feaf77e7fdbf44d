/** Test files, with paths from the root. */
export interface TestFiles {
  readonly unit: readonly string[];
  readonly withServers: readonly string[];
}
export declare function findTestFiles(folder: string): TestFiles;
export declare function distancesTo(folder: string, tests: readonly string[], module: string): Map<string, number>;
