#!/usr/bin/env node
// Checks that a service keeps the contract with one of its consumers: verify-contract <address of the service> <contract>
import { Verifier } from '@pact-foundation/pact';

// Sends no usage data.
process.env.PACT_DO_NOT_TRACK = 'true';

const [address, contract] = process.argv.slice(2);
if (address === undefined || contract === undefined) {
  process.stderr.write('verify-contract needs the address of the service and the file of the contract.\n');
  process.exit(2);
}

/** Puts the service into a state that the contract names. */
async function recordActivity({ user, product }) {
  const answer = await fetch(`${address}/users/${user}/activities`, {
    method: 'POST',
    headers: { authorization: 'Bearer preview', 'content-type': 'application/json' },
    body: JSON.stringify({ event_type: 'product_view', product_id: product }),
  });
  if (!answer.ok) throw new Error(`The service answers ${answer.status} to an activity.`);
}

const verifier = new Verifier({
  provider: 'recommendations',
  providerBaseUrl: address,
  pactUrls: [contract],
  stateHandlers: { 'the user has viewed a product': recordActivity },
  logLevel: 'error',
});
try {
  await verifier.verifyProvider();
  process.stdout.write(`The service keeps the contract ${contract}.\n`);
} catch (error) {
  process.stderr.write(`The service does not keep the contract ${contract}: ${error.message}\n`);
  process.exitCode = 1;
}
