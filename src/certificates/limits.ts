import type { Entry } from './ledger.ts';
import { moment } from './words.ts';

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

/** How many requests of a kind a CA takes within a time, in ms. */
export interface Limit {
  readonly count: number;
  readonly within: number;
}

export interface Limits {
  /** Certificates for exactly these names. */
  readonly sameNames: Limit;
  /** Certificates for the registered domain. Everything of this machine is counted as one domain. */
  readonly certificates: Limit;
  readonly orders: Limit;
  /** Failed validations of one name. */
  readonly failedValidations: Limit;
}

/** https://letsencrypt.org/docs/rate-limits/ */
const LETSENCRYPT: Limits = {
  sameNames: { count: 5, within: WEEK },
  certificates: { count: 50, within: WEEK },
  orders: { count: 300, within: 3 * HOUR },
  failedValidations: { count: 5, within: HOUR },
};

/** The limits that are known of a CA, by the URL of its directory. Staging servers have none worth counting. */
export function knownLimits(directory: string): Limits | undefined {
  return new URL(directory).hostname === 'acme-v02.api.letsencrypt.org' ? LETSENCRYPT : undefined;
}

/** One limit and how much of it is used. */
export interface Use {
  readonly what: string;
  readonly used: number;
  readonly limit: Limit;
  /** When the oldest of them no longer counts. */
  readonly freeAt: Date | undefined;
  /** Renewals that the CA itself suggested do not count (ARI's `replaces`). */
  readonly exempt: boolean;
}

/** How much of a CA's limits this machine has used, from the ledger. */
export function usage(
  entries: readonly Entry[],
  limits: Limits,
  directory: string,
  names: readonly string[],
  now: Date,
): Use[] {
  // What ARI's `replaces` exempts from the limits does not count against them either.
  const here = entries.filter((entry) => entry.directory === directory && entry.replaces !== true);
  const issued = here.filter(({ event }) => event === 'issued');
  const ordered = here.filter(({ event }) => event === 'order');
  const failed = here.filter(({ event, blame }) => event === 'failed' && blame === 'validation');
  const exact = key(names);
  const worst = names
    .map((name) => failed.filter((entry) => entry.names.includes(name)))
    .reduce((one, other) => (other.length > one.length ? other : one), []);
  return [
    use(
      'certificates for exactly these names',
      issued.filter((each) => key(each.names) === exact),
      limits.sameNames,
      true,
      now,
    ),
    use('certificates for the domain', issued, limits.certificates, true, now),
    use('orders', ordered, limits.orders, true, now),
    use('failed validations of a name', worst, limits.failedValidations, false, now),
  ];
}

/** The limit that one more request would break, if any. */
export function exceeded(uses: readonly Use[], exempt: boolean): Use | undefined {
  return uses.find((each) => each.used >= each.limit.count && !(exempt && each.exempt));
}

/** `2 of 5 certificates for exactly these names in 7 days`. */
export function describeUse({ what, used, limit, freeAt }: Use): string {
  const time = limit.within >= 48 * HOUR ? `${limit.within / 24 / HOUR} days` : `${limit.within / HOUR} h`;
  const free = used >= limit.count && freeAt !== undefined ? `; again from ${moment(freeAt)}` : '';
  return `${used} of ${limit.count} ${what} in ${time}${free}`;
}

function use(what: string, entries: readonly Entry[], limit: Limit, exempt: boolean, now: Date): Use {
  const counting = entries.filter(({ at }) => at.getTime() > now.getTime() - limit.within && at <= now);
  const oldest = counting.at(-limit.count) ?? counting[0];
  const freeAt = oldest && new Date(oldest.at.getTime() + limit.within);
  return { what, used: counting.length, limit, freeAt, exempt };
}

function key(names: readonly string[]): string {
  return [...names].sort().join(' ');
}
