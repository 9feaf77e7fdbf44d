/** The programs that are separate modules: bin/sluice.mjs starts them instead of the command. */
export const PROGRAM_DESCRIPTIONS = {
  worker: 'Run or monitor the pipelines of task queues. Stops on SIGTERM or Ctrl-C.',
  scheduler:
    "Make Temporal's Schedules and the sensors agree with the pipeline files, as `sluice apply` does. It starts no runs itself: Temporal does.",
  dev: 'Start a local platform for the project: real servers, a worker, monitors and a scheduler, which follow edits. Stops on Ctrl-C.',
  stack: 'The local stack of real servers: start, status, stop, clean.',
} as const;
