// Plain JavaScript without packages: works on a fresh clone and on an old Node.
import { readFileSync } from 'node:fs';
import { allowsNode } from './node-range.mjs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (!allowsNode(engines.node, major, minor)) {
  console.error(
    `Sluice needs Node ${engines.node}; this is ${process.versions.node} (${process.execPath}).\n` +
      'Install one of these, for example with nvm install 24 or from your package manager, and start again.',
  );
  process.exit(1);
}
