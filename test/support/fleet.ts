import { afterFailure, type FailureSeries } from '../../src/certificates/attempts.ts';
import { decide } from '../../src/certificates/decide.ts';
import { IssuanceFailure } from '../../src/certificates/issuer.ts';
import { at, isSensible } from '../../src/certificates/schedule.ts';
import type { Generation } from '../../src/certificates/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The daemon's tick. What it does beside, to be on the minute, is left out: so nobody here is earlier than a real one. */
export const TICK = 10 * MINUTE;
const BEGIN = Date.parse('2027-01-01T00:00:00Z');
const NAME = 'registry.moorage.example';
const ORIGIN = { issuer: 'acme', directory: 'https://ca.example/dir' } as const;
const WANTED = { names: [NAME], origins: [ORIGIN] } as const;

/** Many machines with one certificate each, and the CA that they share. */
export interface Scenario {
  readonly certificates: number;
  readonly days: number;
  /** Days that a certificate lives; machine N has the one at N modulo their number. */
  readonly lifetimes: readonly number[];
  /** The CA suggests windows (RFC 9773). */
  readonly windows: boolean;
  /** Share of attempts that fail by chance. */
  readonly failing: number;
  /** Days from the beginning between which every attempt fails. */
  readonly outage?: readonly [from: number, to: number];
  /** All certificates are of one day; else they are of all ages. */
  readonly issuedTogether?: boolean;
}

/** What became of them. */
export interface Course {
  /** Renewals on each day. */
  readonly renewals: readonly number[];
  readonly attempts: number;
  /** Renewals later than one tick after 5/6 of the lifetime. */
  readonly late: number;
  /** Certificates that ended before there was a new one. */
  readonly expired: number;
  /** Decisions to renew at a tick before the planned one. */
  readonly early: number;
  /** The most attempts of one machine within the outage. */
  readonly mostInOutage: number;
  /** The shortest time between two attempts of one machine, in ms. */
  readonly closest: number;
}

/** Lets all machines live through the time, each deciding at its ticks as the daemon does. Deterministic. */
export function live(scenario: Scenario): Course {
  const machines = Array.from({ length: scenario.certificates }, (_, index) => liveOne(scenario, index));
  const sum = (of: (one: Course) => number) => machines.reduce((total, one) => total + of(one), 0);
  const renewals = new Array<number>(scenario.days).fill(0);
  for (const machine of machines)
    for (const [day, count] of machine.renewals.entries()) renewals[day] = (renewals[day] ?? 0) + count;
  return {
    renewals,
    attempts: sum(({ attempts }) => attempts),
    late: sum(({ late }) => late),
    expired: sum(({ expired }) => expired),
    early: sum(({ early }) => early),
    mostInOutage: machines.reduce((most, { mostInOutage }) => Math.max(most, mostInOutage), 0),
    closest: machines.reduce((least, { closest }) => Math.min(least, closest), Number.POSITIVE_INFINITY),
  };
}

/**
 * One machine. Between two events nothing can change, so only the tick before a planned renewal is looked at (it has
 * to keep) and those from then on.
 */
function liveOne(scenario: Scenario, index: number): Course {
  const random = chances(index + 1);
  const lifetime = (scenario.lifetimes[index % scenario.lifetimes.length] ?? 90) * DAY;
  const phase = Math.floor(random() * TICK);
  const tickFrom = (time: number) => Math.ceil((time - phase) / TICK) * TICK + phase;
  const end = BEGIN + scenario.days * DAY;
  const outage = scenario.outage?.map((day) => BEGIN + day * DAY);
  const within = (time: number) => time >= (outage?.[0] ?? end) && time < (outage?.[1] ?? end);

  const course = { renewals: new Array<number>(scenario.days).fill(0), attempts: 0, late: 0, expired: 0 };
  let [early, inOutage, closest, before] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let failure: FailureSeries | undefined;
  let number = 0;
  const longestAge = lifetime * (lifetime < 10 * DAY ? 1 / 2 : 2 / 3); // then it is renewed
  const age = random() * (scenario.issuedTogether === true ? DAY : longestAge);
  let current = certificate(index, number, BEGIN - age, lifetime);
  let now = tickFrom(BEGIN);
  while (now < end) {
    const decision = look(current, scenario, now);
    if (decision.kind !== 'issue') {
      const due = decision.kind === 'keep' ? decision.due : undefined;
      const planned = tickFrom(due?.getTime() ?? end);
      if (planned < end && look(current, scenario, planned - TICK).kind === 'issue') early += 1;
      now = Math.max(planned, now + TICK);
      continue;
    }
    course.attempts += 1;
    if (within(now)) inOutage += 1;
    closest = Math.min(closest, now - before);
    before = now;
    const error = within(now) ? unreachable() : mishap(scenario.failing, random, now);
    if (error !== undefined) {
      const failed = { subject: NAME, error };
      failure = afterFailure(failure, failed, current.certificate, new Date(now), random());
      now = tickFrom(Math.max(failure.nextAttempt.getTime(), now + 1));
      continue;
    }
    const { notAfter } = current.certificate;
    if (now >= notAfter.getTime()) course.expired += 1;
    if (now > at(current.certificate, 5 / 6).getTime() + TICK) course.late += 1;
    const day = Math.floor((now - BEGIN) / DAY);
    course.renewals[day] = (course.renewals[day] ?? 0) + 1;
    failure = undefined;
    number += 1;
    current = certificate(index, number, now, lifetime);
    now += TICK;
  }
  return { ...course, early, mostInOutage: inOutage, closest };
}

/** What the daemon decides about a certificate at a tick. */
export function look(generation: Generation, { windows }: Pick<Scenario, 'windows'>, now: number) {
  const { certificate: facts } = generation;
  const window = windows ? suggested(facts) : undefined;
  return decide({
    current: { kind: 'present', generation },
    wanted: WANTED,
    window: window !== undefined && isSensible(window, facts) ? window : undefined,
    offered: undefined,
    now: new Date(now),
  });
}

/** @param issued in ms; a CA makes a certificate valid an hour before, for clients whose clock is late */
export function certificate(machine: number, number: number, issued: number, lifetime: number): Generation {
  const notBefore = new Date(issued - HOUR);
  const facts = {
    names: [NAME],
    notBefore,
    notAfter: new Date(notBefore.getTime() + lifetime),
    fingerprint: `${machine} ${number}`,
    issuerName: 'CA',
  };
  return { name: `generation-${number + 1}`, origin: ORIGIN, certificate: facts, chain: '' };
}

/** As Boulder does: around 2/3 of the lifetime, or half of a short one, and 2 % of it wide (RenewalInfoSimple). */
function suggested(facts: Generation['certificate']) {
  const lifetime = facts.notAfter.getTime() - facts.notBefore.getTime();
  const middle = lifetime < 10 * DAY ? 1 / 2 : 2 / 3;
  return { start: at(facts, middle - 0.01), end: at(facts, middle + 0.01), explanation: undefined };
}

function unreachable(): Error {
  return new IssuanceFailure({ blame: 'network', message: 'the CA does not answer', remedy: '' });
}

/** Of the attempts that fail, some of each kind. */
function mishap(failing: number, random: () => number, now: number): Error | undefined {
  if (random() >= failing) return undefined;
  const kinds = ['validation', 'limit', 'ca', 'network', 'here'] as const;
  const blame = kinds[Math.floor(random() * kinds.length)] ?? 'here';
  if (blame === 'here') return new Error('the disk is full');
  const retryAfter = blame === 'limit' ? new Date(now + 3 * HOUR) : undefined;
  return new IssuanceFailure({ blame, message: blame, remedy: '', retryAfter });
}

/** mulberry32: numbers from [0, 1) that are the same for the same seed. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
