import { lookup } from 'node:dns/promises';
import { Failure, systemCode } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { ProvidedIssuer } from './provided.ts';

/**
 * Finds out before anything changes that there can be no certificate. A public CA looks the names up; one that nobody
 * can look up is not worth a try, of which there are few. What is provided has to fit.
 * @throws Failure `name-unresolved`, `certificate-unfit`, `provided-unreadable`
 */
export async function expectIssuable(settings: Settings, clock: Clock): Promise<Done> {
  const { issuer, directory, challenge, names, provided } = settings;
  if (issuer === 'provided' && provided !== undefined) {
    await new ProvidedIssuer(provided, clock).rehearse({ names, replaces: undefined });
    return unchanged(`${names.join(', ')}: named by TLS_CERT_FILE`);
  }
  const looksUp = (issuer === 'certbot' || issuer === 'acme') && challenge === 'http-01';
  if (!looksUp || !directory.public) return unchanged(names.join(', '));
  for (const name of names) {
    await lookup(name).catch((error) => {
      throw new Failure(
        'name-unresolved',
        `${name} does not resolve to an address (${systemCode(error)}), so no public CA can reach it.`,
        'Give it an A or AAAA record that leads to this machine, wait until it is known, then run this again.',
      );
    });
  }
  return unchanged(`${names.join(', ')}: found in the DNS`);
}
