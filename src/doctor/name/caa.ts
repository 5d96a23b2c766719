import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { caaDoubts } from '../../issuers/doubts.ts';
import { certificateNames } from '../../settings/settings.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, unknown } from '../finding.ts';

export const caaCheck: Check<Context> = {
  name: 'caa',
  group: 'Name',
  within: SOON,
  run: async ({ settings, issuerDomains }) => {
    if (issuerDomains === undefined) return skipped('no public CA is asked');
    const domains = await issuerDomains().catch(() => undefined);
    if (domains === undefined) return unknown(`${new URL(settings.directory.url).host} does not answer`);
    const resolver = new Resolver({ timeout: 3_000, tries: 2 });
    const hosts = certificateNames(settings).filter((name) => isIP(name) === 0);
    const doubts = await Promise.all(hosts.map((name) => caaDoubts(name, resolver, domains)));
    return judgeCaa(doubts.flat(), domains);
  },
};

export function judgeCaa(doubts: readonly string[], domains: readonly string[]): Finding {
  if (domains.length === 0) return unknown('the CA does not say by which name it looks for itself');
  if (doubts.length === 0) return fine(`${domains[0]} may issue`);
  return broken(doubts.join('\n'), `Add the record: CAA 0 issue "${domains[0]}"`);
}
