import { BASE_IMAGE, BUILT } from '../../src/images/catalog.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';
import { below, type Progress, type Row, row } from './result.ts';

interface Step {
  readonly title: string;
  readonly seconds: number;
}

interface Timed {
  readonly seconds: number;
  readonly steps: readonly Step[];
  /** Of init-tls, on the machine itself. */
  readonly stepsThere: readonly Step[];
}

/** Seconds. */
const WORTH_A_ROW = 0.1;
const ROLES = ['registry', 'nginx', 'node'] as const;

/**
 * Over SSH, from a bare Debian 12 (no Docker, no Node, no image registry in reach) to a push and a pull that this
 * machine has verified, with all that is fetched for it here; then again, with nothing to do. `quick` has a machine with
 * Docker and the images.
 */
export async function deploy(quick: boolean, report: Progress) {
  const runs = quick ? 1 : 3;
  const first: Timed[] = [];
  const again: Timed[] = [];
  for (let run = 1; run <= runs; run += 1) {
    report(`run ${run} of ${runs}`);
    const timed = await bothRuns(quick);
    first.push(timed.first);
    again.push(timed.again);
  }
  const name = quick ? 'Images present' : 'From nothing';
  const second = row('Nothing to do', 'all', again.map(inAll));
  return {
    rows: [
      row(name, 'all', first.map(inAll)),
      ...stepRows(name, first),
      second,
      ...stepRows('Nothing to do', again),
    ],
    goals: [below(15, second)],
    notes: ['A machine in a container of this one: what a line between them takes comes on top.'],
  };
}

async function bothRuns(quick: boolean): Promise<{ readonly first: Timed; readonly again: Timed }> {
  const machine = await RemoteMachine.boot(quick ? 'ready' : 'bare');
  const checkout = await Checkout.make();
  try {
    if (quick) {
      for (const role of ROLES) await ensureBuilt(role);
      await machine.takeImages(BASE_IMAGE, ...ROLES.map((role) => BUILT[role]));
    }
    const set = ['--set', `DOMAIN=${machine.address}`, '--set', 'IMAGES=build'];
    const first = await timed(checkout, machine, ['--yes', ...set]);
    return { first, again: await timed(checkout, machine, []) };
  } finally {
    await machine.dispose();
    await checkout.dispose();
  }
}

async function timed(checkout: Checkout, machine: RemoteMachine, args: readonly string[]): Promise<Timed> {
  const started = performance.now();
  const { exitCode, stdout, stderr } = await checkout.command('deploy', [machine.login, '--json', ...args], {
    env: machine.env,
  });
  const seconds = (performance.now() - started) / 1000;
  if (exitCode !== 0) throw new Error(stderr);
  const [{ steps, stepsThere }] = JSON.parse(stdout).hosts;
  return { seconds, steps, stepsThere };
}

function stepRows(name: string, all: readonly Timed[]): Row[] {
  const rowsOf = (where: string, pick: (timed: Timed) => readonly Step[]) =>
    (all[0] === undefined ? [] : pick(all[0])).map(({ title }) =>
      row(
        name,
        `${where}${title}`,
        all.map((each) => pick(each).find((step) => step.title === title)?.seconds ?? Number.NaN),
      ),
    );
  const here = rowsOf('step ', ({ steps }) => steps);
  const there = rowsOf('step Registry: ', ({ stepsThere }) => stepsThere);
  return [...here, ...there].filter(({ median }) => median >= WORTH_A_ROW);
}

function inAll({ seconds }: Timed): number {
  return seconds;
}
