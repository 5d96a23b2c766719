import { isIP } from 'node:net';
import type { Order as Placed } from 'acme-client';
import type { DirectoryObject } from '../acme/directory.ts';
import type { NewOrder, Orders } from '../acme/orders.ts';
import { AcmeProblem, isInternal, isProblem } from '../acme/problem.ts';
import { certificateIdentifier } from '../acme/renewal-info.ts';
import { canonicalName, readCertificate } from '../certificates/certificate.ts';
import { type Order, type Origin, sameOrigin } from '../certificates/issuer.ts';
import type { Report } from '../step.ts';

/** Let's Encrypt issues for addresses under this profile alone. */
const FOR_ADDRESSES = 'shortlived';

/** The order as this CA takes it: profile and predecessor only where it knows such things. */
export function requestFor(
  { names, replaces }: Order,
  { profiles, renewalInfo }: DirectoryObject,
  { origin, profile }: { origin: Origin; profile: string | undefined },
  report: Report,
): NewOrder {
  if (profile !== undefined && !profiles.includes(profile)) {
    report(
      `the CA does not offer the profile ${profile} (it has ${profiles.join(', ') || 'none'}); going on without`,
    );
  }
  const needed = profile ?? (names.some((name) => isIP(name) !== 0) ? FOR_ADDRESSES : undefined);
  // A successor has to share a name with what it replaces (RFC 9773 section 5).
  const replaceable =
    replaces !== undefined &&
    renewalInfo !== undefined &&
    sameOrigin(replaces.origin, origin) &&
    readCertificate(replaces.chain).names.some((name) => names.map(canonicalName).includes(name));
  return {
    names,
    profile: needed !== undefined && profiles.includes(needed) ? needed : undefined,
    replaces: replaceable ? certificateIdentifier(replaces.chain) : undefined,
  };
}

/** What a CA says of the names or the account stays true without the extras. */
const NOT_ABOUT_EXTRAS = [
  'rateLimited',
  'accountDoesNotExist',
  'userActionRequired',
  'externalAccountRequired',
  'rejectedIdentifier',
  'unsupportedIdentifier',
  'caa',
  'dns',
];

/**
 * Places an order. What a CA may object to without meaning the order itself (a predecessor that was replaced already,
 * belongs to another account or can't be found, a profile that is gone) is left out, one after the other.
 */
export async function place(
  orders: Orders,
  request: NewOrder,
  before: (request: NewOrder) => Promise<void>,
  report: Report,
): Promise<{ placed: Placed; request: NewOrder }> {
  await before(request);
  try {
    return { placed: await orders.create(request), request };
  } catch (error) {
    const lesser = withoutExtras(request, error);
    if (lesser === undefined) throw error;
    report('the CA refuses an extra of the order; once more without');
    const within = (each: NewOrder) =>
      before(each).catch((limit: unknown) => {
        throw isInternal(error) ? error : limit;
      });
    return place(orders, lesser, within, report);
  }
}

function withoutExtras(request: NewOrder, error: unknown): NewOrder | undefined {
  if (!(error instanceof AcmeProblem) || (error.problem.status >= 500 && !isInternal(error)))
    return undefined;
  if (isProblem(error, ...NOT_ABOUT_EXTRAS)) return undefined;
  if (request.profile !== undefined && isProblem(error, 'invalidProfile'))
    return { ...request, profile: undefined };
  return request.replaces === undefined ? undefined : { ...request, replaces: undefined };
}
