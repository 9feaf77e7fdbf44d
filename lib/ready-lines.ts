/** What a process writes once it is ready. Programs that start it wait for this text. */
export const READY_LINES = {
  worker: 'ready',
  /** After an edit of the project, with --watch. */
  reloaded: 'reloaded the project',
  scheduler: 'pipelines applied',
  codecServer: 'Decoding payloads for',
} as const;
