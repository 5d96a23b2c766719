import { Failure, messageOf, systemCode } from '../errors.ts';
import { type Endpoint, openConnection, type Trust } from '../registry/client.ts';
import type { Authority } from './authority.ts';

/** Whether a registry proves itself: `refused` says why it does not, `silent` that nobody answers. */
export type Vouched =
  | { readonly kind: 'yes' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'silent'; readonly why: string };

/** Of the way there, not of a certificate. */
const OF_THE_WAY = /^(ECONN|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|EPIPE)/;

/** Looks at what is shown at the endpoint: its chain, its dates, its name. */
export async function vouched(place: Omit<Endpoint, 'trust'>, trust: Trust): Promise<Vouched> {
  try {
    (await openConnection({ ...place, trust })).destroy();
    return { kind: 'yes' };
  } catch (error) {
    const why = messageOf(error);
    const silent = OF_THE_WAY.test(systemCode(error) ?? '') || /no answer from/.test(why);
    return { kind: silent ? 'silent' : 'refused', why };
  }
}

/**
 * Before anything is written: a CA that has nothing to do with the registry would only be one more that is trusted. A
 * registry that is away is told by the pull at the end.
 * @throws Failure `ca-mismatch`
 */
export async function expectVouched(place: Omit<Endpoint, 'trust'>, ca: Authority): Promise<void> {
  const answer = await vouched(place, { kind: 'authority', pem: ca.pem });
  if (answer.kind !== 'refused') return;
  throw new Failure(
    'ca-mismatch',
    `By this CA (${ca.fingerprint}) the certificate of ${place.name}:${place.port} can't be trusted: ${answer.why}.`,
    'Take the CA of just that registry: `npm run trust -- --print` on its machine shows it. Nothing was changed.',
  );
}
