import type { Cause } from '../../src/certificates/decide.ts';
import type { Outlook } from '../../src/certificates/outlook.ts';
import type { PartState } from '../../src/stack/parts.ts';
import type { Seen, Status } from '../../src/status/status.ts';

export const NOW = new Date('2026-07-01T12:00:00Z');

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const GIB = 1024 ** 3;
const later = (milliseconds: number) => new Date(NOW.getTime() + milliseconds);

export function seenAs<T>(what: T): Extract<Seen<T>, { kind: 'seen' }> {
  return { kind: 'seen', what };
}

export function part(
  name: string,
  condition: PartState['condition'],
  more: Partial<PartState> = {},
): PartState {
  return { name, condition, since: later(-3 * DAY), restarts: 0, exitCode: undefined, ...more };
}

/** A stack that is well, but for what is said. */
export function aStatus(change: Partial<Status> = {}): Status {
  return {
    at: NOW,
    url: 'https://r.example',
    silence: undefined,
    parts: seenAs(['nginx', 'gate', 'registry', 'renewer'].map((name) => part(name, 'running'))),
    certificate: aCertificate({}),
    auth: 'gate',
    access: seenAs({ problems: [], inForce: true }),
    users: seenAs({ users: 2, tokens: 0, expired: [], expiring: [], lastUse: undefined }),
    storage: seenAs({ bytes: 0, tags: 0, repositories: [] }),
    disk: { kind: 'enough', free: 30 * GIB, size: 250 * GIB, mark: 2 * GIB },
    forecast: { kind: 'not-within-a-year', perDay: 0 },
    mirror: undefined,
    oldPlaces: [],
    underWay: [],
    move: undefined,
    events: [],
    ...change,
  };
}

interface Told {
  readonly cause?: Cause;
  readonly reason?: string;
  readonly renewalDue?: Date;
  /** What the CA said. */
  readonly failure?: string;
  readonly none?: boolean;
}

export function aCertificate({ cause, reason = 'valid', renewalDue, failure, none }: Told): Seen<Outlook> {
  const due = renewalDue ?? later(30 * DAY);
  const decided =
    cause === undefined
      ? ({ kind: 'keep', due, reason } as const)
      : ({ kind: 'issue', cause, reason } as const);
  const decision = none === true ? ({ kind: 'none', reason } as const) : decided;
  const certificate = {
    names: ['r.example', 'www.r.example'],
    notBefore: later(-30 * DAY),
    notAfter: later(60 * DAY),
    fingerprint: 'AA:BB',
    issuerName: 'R11',
  };
  const generation = { name: 'generation-1', origin: { issuer: 'local' }, certificate, chain: '' } as const;
  const series =
    failure &&
    ({
      subject: '',
      count: 3,
      refusals: 3,
      since: later(-DAY),
      nextAttempt: later(HOUR),
      pauseUntil: later(HOUR),
      directory: undefined,
      elsewhere: undefined,
      message: failure,
      blame: 'ca',
      problem: undefined,
      rehearsal: false,
    } as const);
  const current =
    cause === 'missing' ? ({ kind: 'missing' } as const) : ({ kind: 'present', generation } as const);
  return seenAs({ current, decision, renewalDue: due, failure: series || undefined });
}
