import { changed, type Done, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import type { CertificateStore } from './store.ts';
import { makeLeaf } from './x509.ts';

const DAYS = 30;

/**
 * Gives nginx something to start with: the newest whole generation where the current one is damaged, else a
 * certificate signed by itself, in our own store and nowhere else.
 */
export async function ensurePlaceholder(
  store: CertificateStore,
  names: readonly string[],
  clock: Clock,
): Promise<Done> {
  const current = await store.current();
  if (current.kind === 'present') return unchanged('not needed');
  const whole = await store.newestWhole();
  if (whole !== undefined) {
    await store.activate(whole);
    return changed(`back to ${whole.name}: the current one is damaged`);
  }
  const { privateKey, certificate } = await makeLeaf(names, clock.now(), DAYS);
  const generation = await store.addPlaceholder({
    privateKey,
    chain: certificate,
    origin: { issuer: 'placeholder' },
  });
  await store.activate(generation);
  return changed('until there is a certificate');
}
