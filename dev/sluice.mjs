#!/usr/bin/env node
// The `sluice` command: the same as `npm run sluice --`, from any folder.
process.argv.splice(2, 0, 'cli');
await import('./bootstrap.mjs');
