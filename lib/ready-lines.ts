/** What a process writes once it is ready. Programs that start it wait for this text. */
export const READY_LINES = {
  worker: 'ready',
  scheduler: 'pipelines applied',
  codecServer: 'Decoding payloads for',
} as const;
