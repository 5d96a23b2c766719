import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { servedFingerprint } from '../../src/certificates/handshake.ts';
import { paths } from '../../src/paths.ts';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { withTemporaryUser } from '../../src/users/temporary-user.ts';
import { Checkout } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { makeNetwork, type Pebble, startPebble } from '../support/pebble.ts';
import { pushLarge } from './held.ts';
import type { Target } from './load.ts';

export const NAME = 'registry.moorage.example';

/** A stack with a CA whose certificates live for seconds, and who its clients are. */
export interface Stage {
  readonly checkout: Checkout;
  /** URL that is the same from this machine and from the stack's network. */
  readonly directory: string;
  /** PEM file that the CA's own TLS is trusted by. */
  readonly trust: string;
  readonly target: Target;
  /** Digest of a blob that takes a while. */
  readonly large: string;
}

/** Sets everything up, with Moorage serving a certificate of that CA, and takes it down after `work`. */
export async function onStage<T>(seconds: number, work: (stage: Stage) => Promise<T>): Promise<T> {
  const checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'acme' });
  let pebble: Pebble | undefined;
  let proxy: FaultProxy | undefined;
  try {
    const { gateway } = await makeNetwork(checkout);
    checkout.env.BIND_ADDRESS = gateway;
    pebble = await startPebble(checkout, { name: 'pebble', profiles: { default: seconds } });
    await pebble.setAddress(NAME, gateway);
    proxy = await FaultProxy.start(pebble, { host: gateway });
    const { directory, trust } = proxy;
    await checkout.init({ ACME_DIRECTORY: directory, ACME_CA_BUNDLE: trust });
    const root = await pebble.root();
    const address = { name: NAME, host: gateway, port: Number(checkout.env.HTTPS_PORT) };
    return await withTemporaryUser(paths(checkout.root).usersFile, 'bench', async (credentials) => {
      const target = { ...address, root, credentials };
      return work({ checkout, directory, trust, target, large: await pushLarge(target) });
    });
  } finally {
    await proxy?.close();
    await pebble?.dispose();
    await checkout.dispose();
  }
}

/** What the public address shows. @throws when there is no handshake */
export async function shown({ host, port, name }: Target): Promise<string> {
  const handshake = await servedFingerprint({ host, port, servername: name, timeout: 5_000 });
  if (handshake.kind === 'failed') throw new Error(handshake.reason);
  return handshake.fingerprint;
}

/** Resolves when `condition` holds. @throws after a minute */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const reached = await eventually(systemClock, { within: 60_000, every: 20 }, async () =>
    (await condition()) ? true : undefined,
  );
  if (reached === undefined) throw new Error(`waited for a minute: ${what}`);
}

/** The certificate that Moorage has on the disk, as PEM. */
export function storedChain({ checkout }: Stage): Promise<string> {
  return readFile(join(paths(checkout.root).certificates, 'current/fullchain.pem'), 'utf8');
}
