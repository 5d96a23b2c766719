import { startAttack } from '../support/attack.ts';
import { FRONTS, type Front, portOf } from './auth/fronts.ts';
import { onStage, type Stage } from './auth/stage.ts';
import { atLeast, atMost, type Progress, type Row, row } from './result.ts';
import { type Measured, wrk } from './wrk.ts';

const NO_AUTH: Front = 'no auth';
const GATE: Front = 'the gate, cost 12';
const HTPASSWD: Front = 'htpasswd, cost 12';

/**
 * `seconds` for each way in each round. Sixteen at once at cost 12 take htpasswd two, so it gets more. A gate that was
 * just started takes three times as long until Node has compiled what is hot: that is over before the first round.
 */
const FULL = { rounds: 7, floods: 7, seconds: 5, slow: 8, warmUp: 15 };
const QUICK = { rounds: 3, floods: 1, seconds: 1, slow: 3, warmUp: 4 };

const ALONE = 'pulls, nobody guesses';
/** Who guesses while a known user pulls. */
const ATTACKS = {
  'pulls, 50 guess from one address': { count: 50, spread: false },
  'pulls, 50 guess from 50 addresses': { count: 50, spread: true },
} as const;

/** What was measured in a round, by its name. */
type Round = Readonly<Record<string, Measured>>;

/**
 * Pulls of a manifest on 16 connections by each way to the same registry, in turn, round after round: only what was
 * measured within a round is compared, so that a machine's moods hit both. Then the same while others guess passwords.
 */
export async function auth(quick: boolean, report: Progress) {
  const { rounds, floods, seconds, slow, warmUp } = quick ? QUICK : FULL;
  return onStage(async (stage) => {
    await measure(stage, GATE, warmUp);
    const byFront = FRONTS.map((front) => ({
      name: front,
      work: () => measure(stage, front, front === HTPASSWD ? slow : seconds),
    }));
    const ways = await inRounds(rounds, byFront, report);
    const attacked = Object.entries(ATTACKS).map(([name, how]) => ({
      name,
      work: () => amid(stage, how, seconds),
    }));
    const alone = {
      name: ALONE,
      work: async () => {
        await stage.quiet();
        return measure(stage, GATE, seconds);
      },
    };
    return result(ways, await inRounds(floods, [alone, ...attacked], report));
  });
}

async function inRounds(
  rounds: number,
  things: readonly { readonly name: string; readonly work: () => Promise<Measured> }[],
  report: Progress,
): Promise<Round[]> {
  const done: Round[] = [];
  for (let number = 1; number <= rounds; number += 1) {
    const round: Record<string, Measured> = {};
    for (const { name, work } of things) {
      const measured = await work();
      round[name] = measured;
      report(`round ${number} of ${rounds}: ${name}: ${measured.rate} requests/s, p99 ${measured.p99} ms`);
    }
    done.push(round);
  }
  return done;
}

/** Of a user who has logged in. What wrk leaves behind at its end is waited for. */
async function measure({ url, script, pull }: Stage, front: Front, seconds: number): Promise<Measured> {
  await pull(front);
  const measured = await wrk(url(front), script, seconds);
  await pull(front);
  return measured;
}

async function amid(
  stage: Stage,
  how: { readonly count: number; readonly spread: boolean },
  seconds: number,
): Promise<Measured> {
  await stage.pull(GATE);
  const target = { scheme: 'http', host: stage.host, port: portOf(GATE) } as const;
  const attack = startAttack(target, { ...how, names: [stage.user, 'admin'] });
  try {
    return await measure(stage, GATE, seconds);
  } finally {
    await attack.stop();
  }
}

function result(ways: readonly Round[], floods: readonly Round[]) {
  const speed = ({ rate }: Measured) => rate;
  const slowest = ({ p99 }: Measured) => p99;
  const tried = FRONTS.filter((front) => front.startsWith('tried'));
  const shares = tried.map((front) => times(`${front} / no auth`, speed, ways, front, NO_AUTH));
  const gate = times('the gate / no auth', speed, ways, GATE, NO_AUTH);
  const patience = times('the gate / no auth, p99', slowest, ways, GATE, NO_AUTH);
  const more = times('the gate / htpasswd, both at cost 12', speed, ways, GATE, HTPASSWD);
  const flooded = Object.keys(ATTACKS).map((attack) =>
    times(`${attack} / nobody guesses`, speed, floods, attack, ALONE),
  );
  const rows = [
    ...[...FRONTS].flatMap((front) => rowsOf(front, ways)),
    ...[ALONE, ...Object.keys(ATTACKS)].flatMap((name) => rowsOf(name, floods)),
    ...[gate, patience, more, ...shares, ...flooded],
  ];
  const goals = [
    atLeast(0.8, gate),
    atMost(1.5, patience.name, patience.median),
    atLeast(100, more),
    ...flooded.map((each) => atLeast(0.8, each)),
  ];
  return { rows, goals };
}

function rowsOf(name: string, rounds: readonly Round[]): Row[] {
  const each = (of: (measured: Measured) => number) => rounds.map((round) => figure(round, name, of));
  return [
    row(
      name,
      'served',
      each(({ rate }) => rate),
      'requests/s',
    ),
    row(
      name,
      'p99',
      each(({ p99 }) => p99),
      'ms',
    ),
  ];
}

/** How many times as much, in each round. */
function times(
  name: string,
  value: (measured: Measured) => number,
  rounds: readonly Round[],
  of: string,
  to: string,
): Row {
  const ratios = rounds.map((round) => figure(round, of, value) / figure(round, to, value));
  return row(name, 'in the same round', ratios, 'times');
}

function figure(round: Round, name: string, of: (measured: Measured) => number): number {
  const measured = round[name];
  return measured === undefined ? Number.NaN : of(measured);
}
