#!/usr/bin/env node
// The `sluice` command. In a clone it runs the sources, in an installed package the compiled files in dist/.
import { existsSync } from 'node:fs';
import './check-node.mjs';

const bootstrap = new URL('../dev/bootstrap.mjs', import.meta.url);
const isClone = existsSync(bootstrap);
if (isClone) process.argv.splice(2, 0, 'cli');
await import(isClone ? bootstrap.href : new URL('../dist/launch.js', import.meta.url).href);
