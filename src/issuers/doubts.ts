import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { messageOf, systemCode } from '../errors.ts';
import { CHALLENGE_PATH, fetchPlain } from './http-01.ts';
import type { Solver } from './solver.ts';

/** What a public CA may have stumbled over, as far as it shows from here: one line each. Asks nobody but the DNS. */
export type Doubts = (names: readonly string[]) => Promise<string[]>;

export interface DoubtsOptions {
  readonly solver: Solver;
  /** The CA's names in CAA records (RFC 8659); empty where it tells none. */
  readonly issuerDomains: () => Promise<readonly string[]>;
  readonly resolver?: Resolver;
  /** A public CA always comes to port 80. */
  readonly port?: number;
}

/**
 * Looks at each name as a CA does: are there addresses, does each of them lead here, does the zone let this CA issue.
 * A machine may not see itself from outside, so these are doubts and no verdict; they are told after a refusal.
 */
export function doubtsOf({
  solver,
  issuerDomains,
  resolver = new Resolver(),
  port = 80,
}: DoubtsOptions): Doubts {
  return async (names) => {
    const hosts = names.filter((name) => isIP(name) === 0);
    const unreachable =
      solver.type === 'http-01'
        ? await Promise.all(hosts.map((name) => addressDoubts(name, solver, resolver, port)))
        : [];
    const domains = await issuerDomains().catch(() => []);
    const forbidden = await Promise.all(hosts.map((name) => caaDoubts(name, resolver, domains)));
    return [...unreachable, ...forbidden].flat();
  };
}

async function addressDoubts(
  name: string,
  solver: Solver,
  resolver: Resolver,
  port: number,
): Promise<string[]> {
  const [four, six] = await Promise.all([found(resolver.resolve4(name)), found(resolver.resolve6(name))]);
  if (four.length + six.length === 0) return [`${name} has neither an A nor an AAAA record`];
  const token = `check-${randomBytes(9).toString('hex')}`;
  const challenge = { name, token, keyAuthorization: randomBytes(16).toString('hex') };
  await solver.present(challenge);
  try {
    const looks = [...six, ...four].map(async (address) => {
      const kind = isIP(address) === 6 ? 'AAAA' : 'A';
      const answer = fetchPlain({ host: address, port }, name, `${CHALLENGE_PATH}/${token}`);
      const problem = await answer.then(
        (text) => (text === challenge.keyAuthorization ? undefined : 'something else answers there'),
        messageOf,
      );
      const hint = kind === 'AAAA' && four.length > 0 ? '; CAs prefer it to the A record' : '';
      return problem === undefined
        ? []
        : [`${name}: ${address} (${kind}) does not lead here: ${problem}${hint}`];
    });
    return (await Promise.all(looks)).flat();
  } finally {
    await solver.cleanUp(challenge);
  }
}

/** The closest CAA records above a name are the ones that count (RFC 8659 section 3). */
export async function caaDoubts(
  name: string,
  resolver: Resolver,
  domains: readonly string[],
): Promise<string[]> {
  if (domains.length === 0) return [];
  const labels = name.split('.');
  for (let index = 0; index < labels.length - 1; index += 1) {
    const zone = labels.slice(index).join('.');
    const records = await resolver.resolveCaa(zone).catch(none);
    const allowed = records.flatMap(({ issue }) =>
      issue === undefined ? [] : [issue.split(';')[0]?.trim() ?? ''],
    );
    if (allowed.length === 0) continue;
    if (allowed.some((each) => domains.includes(each))) return [];
    return [
      `${name}: the CAA records of ${zone} allow only ${allowed.filter(Boolean).join(', ') || 'nobody'}`,
    ];
  }
  return [];
}

async function found(lookup: Promise<string[]>): Promise<string[]> {
  return lookup.catch(none);
}

function none(error: unknown): [] {
  if (systemCode(error) !== undefined) return [];
  throw error;
}
