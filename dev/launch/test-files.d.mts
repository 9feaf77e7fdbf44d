/** Test files, with paths from the root. */
export interface TestFiles {
  readonly unit: readonly string[];
  readonly withServers: readonly string[];
}
export declare function findTestFiles(folder: string): TestFiles;
