import { type ServedChain, servedChain } from '../../certificates/served-chain.ts';
import { servedFaults } from '../../certificates/verify.ts';
import type { Trust } from '../../registry/client.ts';
import { inWords, judgeServed } from '../certificate/served.ts';
import { broken, type Finding } from '../finding.ts';
import type { Address } from './address.ts';
import type { Way } from './way.ts';

const HANDSHAKE_WITHIN = 5_000;
const OWN_CA =
  'If its CA is one of your own, give that: --ca FILE, which is var/ca/ca.crt there (docs/trust.md)';
/** openssl-verification-options(1): of a leaf alone nobody can tell whether its CA is private or one in between is missing. */
const LACKS_ONE = /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/;
const PUBLIC_CA =
  'If it is a public one, its chain lacks a certificate; on that machine npm run doctor says more.';

/** What one address shows to a client with this trust. */
export interface Shown {
  readonly name: string;
  readonly address: string;
  readonly served: ServedChain;
  readonly trust: Trust;
  readonly now: Date;
}

/** One for each address that answers. */
export async function lookAtServed(
  { name, port }: Address,
  { tried }: Way,
  trust: Trust,
  now: Date,
): Promise<Shown[]> {
  const authority = trust.kind === 'authority' ? trust.pem : undefined;
  const looks = tried
    .filter(({ answers }) => answers)
    .map(async ({ address }) => {
      const target = { host: address, port, servername: name, timeout: HANDSHAKE_WITHIN };
      return { name, address, served: await servedChain(target, authority), trust, now };
    });
  return Promise.all(looks);
}

/** Anything but `fine` is a reason to send no password there. */
export function judgeShown({ name, address, served, trust, now }: Shown): Finding {
  const leaf = served.kind === 'shown' ? served.chain[0].fingerprint256 : '';
  const finding = judgeServed({ name, address, served, onDisk: leaf, trusted: false, now });
  if (
    served.kind === 'shown' &&
    finding.verdict !== 'fine' &&
    servedFaults(served.chain, [], now).length === 0
  )
    return broken(finding.detail, otherName(name));
  if (finding.verdict !== 'fine' || served.kind === 'failed') return finding;
  const at = `${name} at ${address}`;
  if (trust.kind === 'certificate')
    return leaf === trust.fingerprint
      ? finding
      : broken(`${at}: another certificate than that machine has`, `Find out who answers at ${address}.`);
  if (served.distrust === undefined) return finding;
  return trust.kind === 'authority'
    ? broken(
        `${at}: it is not by the CA that was given: ${inWords(served.distrust)}`,
        `Take the CA's certificate from that machine: var/ca/ca.crt (docs/trust.md)`,
      )
    : broken(
        `${at}: clients here refuse it: ${inWords(served.distrust)}`,
        [OWN_CA, ...(LACKS_ONE.test(served.distrust) ? [PUBLIC_CA] : [])].join('\n'),
      );
}

/** All but its names is right: whoever asked may just as well have asked by the wrong one. */
function otherName(name: string): string {
  return `Ask by a name that it has. If ${name} is to be one: into EXTRA_DOMAINS there, and on that machine npm run init-tls.`;
}
