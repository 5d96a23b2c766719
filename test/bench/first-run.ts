import { BareMachine } from '../support/bare-machine.ts';
import { Checkout, type InitResult } from '../support/checkout.ts';
import { makeNetwork, startPebble } from '../support/pebble.ts';
import { below, type Progress, type Row, row } from './result.ts';

const NAME = 'registry.moorage.example';
const PROJECT = '/srv/moorage';

/**
 * From nothing (a bare Debian 12, no Docker, no image registry in reach) to a verified registry, per step; again with
 * the images present; a run that has nothing to do; a certificate by certbot from Pebble.
 */
export async function firstRun(quick: boolean, report: Progress) {
  const runs = quick ? 1 : 3;
  const fromNothing = await times(runs, 'from nothing', report, bareMachine);
  const withImages = await times(runs, 'images present', report, localStack);
  const certbot = await times(runs, 'certbot', report, certbotStack);

  const rows: Row[] = [
    row(
      'From nothing',
      'all',
      fromNothing.map(({ seconds }) => seconds),
    ),
    row('From nothing', 'Node packages and start', fromNothing.map(besidesTheSteps)),
    ...steps(
      'From nothing',
      fromNothing.map(({ init }) => init),
    ),
    row(
      'Images present',
      'all',
      withImages.map(({ seconds }) => seconds),
    ),
    ...steps(
      'Images present',
      withImages.map(({ init }) => init),
    ),
  ];
  const again = row(
    'Nothing to do',
    'all',
    withImages.map(({ again }) => again),
  );
  const issuance = row(
    'Certificate by certbot',
    'step Certificate',
    certbot.map(({ init }) => stepSeconds(init, 'Certificate')),
  );
  return { rows: [...rows, again, issuance], goals: [below(5, again), below(10, issuance)] };
}

interface Timed {
  readonly init: InitResult;
  readonly seconds: number;
}

async function bareMachine(): Promise<Timed> {
  const checkout = await Checkout.make();
  const machine = await BareMachine.boot();
  try {
    await machine.clone(checkout.root, PROJECT);
    return await timed(async () => {
      const { exitCode, stdout, stderr } = await machine.run(
        ['npm', 'run', '--silent', 'init-tls', '--', '--yes', '--json'],
        PROJECT,
      );
      if (exitCode !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    });
  } finally {
    await machine.dispose();
    await checkout.dispose();
  }
}

async function localStack(): Promise<Timed & { again: number }> {
  const checkout = await Checkout.make();
  try {
    const first = await timed(() => checkout.init());
    const second = await timed(() => checkout.init());
    return { ...first, again: second.seconds };
  } finally {
    await checkout.dispose();
  }
}

async function certbotStack(): Promise<Timed> {
  const checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'certbot' });
  const { gateway } = await makeNetwork(checkout);
  checkout.env.BIND_ADDRESS = gateway;
  const pebble = await startPebble(checkout, { name: 'pebble' });
  try {
    await pebble.setAddress(NAME, gateway);
    return await timed(() =>
      checkout.init({ ACME_DIRECTORY: pebble.directory, ACME_CA_BUNDLE: pebble.trust }),
    );
  } finally {
    await pebble.dispose();
    await checkout.dispose();
  }
}

async function timed(work: () => Promise<InitResult>): Promise<Timed> {
  const started = performance.now();
  const init = await work();
  return { init, seconds: (performance.now() - started) / 1000 };
}

async function times<T>(runs: number, what: string, report: Progress, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let run = 1; run <= runs; run += 1) {
    report(`${what}, run ${run} of ${runs}`);
    results.push(await work());
  }
  return results;
}

/** What passes before the first step begins, and after the last. */
function besidesTheSteps({ init, seconds }: Timed): number {
  return seconds - init.steps.reduce((sum, step) => sum + step.seconds, 0);
}

/** One row for each step that takes a tenth of a second. */
function steps(name: string, inits: readonly InitResult[]): Row[] {
  const titles = inits[0]?.steps.map(({ title }) => title) ?? [];
  return titles
    .map((title) =>
      row(
        name,
        `step ${title}`,
        inits.map((init) => stepSeconds(init, title)),
      ),
    )
    .filter(({ median }) => median >= 0.1);
}

function stepSeconds({ steps: all }: InitResult, title: string): number {
  return all.find((step) => step.title === title)?.seconds ?? Number.NaN;
}
