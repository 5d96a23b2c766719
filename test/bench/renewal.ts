import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { readCertificate } from '../../src/certificates/certificate.ts';
import { scheduleOf } from '../../src/certificates/schedule.ts';
import { messageOf } from '../../src/errors.ts';
import { Ancestor } from './ancestor.ts';
import { hold } from './held.ts';
import { startLoad } from './load.ts';
import { type Resources, resourcesOf } from './resources.ts';
import { atMost, below, type Progress, type Row, row } from './result.ts';
import { onStage, type Stage, shown, storedChain, until } from './stage.ts';
import { type Count, Tally } from './tally.ts';

const MOORAGE = 'Moorage';
const SIGNALLED = 'certbot, then SIGHUP';
const RESTARTED = 'certbot, then a restart';

/** `lifetime` in seconds: a renewal is due after half of it. */
const FULL = { renewals: 50, ofAncestors: 10, lifetime: 60 };
const QUICK = { renewals: 5, ofAncestors: 3, lifetime: 12 };
/** The first renewals warm caches up; memory and files are compared with those after them. */
const WARM_UP = 5;
/** So many looks make a value: a garbage collector's mood is not growth. */
const LOOKS = 5;
/** After the new certificate was seen first, old workers may accept for a moment. */
const SETTLE = 500;

/** One renewal, and what was asked meanwhile. */
interface Renewal extends Count {
  /** From the moment it was due, or begun, to the first handshake that shows the new certificate. */
  readonly seconds: number;
}

interface Ours {
  readonly renewals: readonly Renewal[];
  readonly nginx: readonly Resources[];
  readonly renewer: readonly Resources[];
}

/**
 * Renewals under load: by Moorage's renewer, which nobody helps; and, against the same registry by the same CA, the
 * way of its ancestors: certbot in a one-shot container, then a signal for nginx or a restart.
 */
export async function renewal(quick: boolean, report: Progress) {
  const { renewals, ofAncestors, lifetime } = quick ? QUICK : FULL;
  return onStage(lifetime, async (stage) => {
    const ours = await moorage(stage, renewals, report);
    await stage.checkout.compose('stop', 'nginx', 'renewer');
    const ancestor = await Ancestor.start(stage);
    try {
      const signalled = await theirs(stage, ancestor, 'reload', ofAncestors, report);
      const restarted = await theirs(stage, ancestor, 'restart', ofAncestors, report);
      return result(`of a ${lifetime}-second certificate`, ours, signalled, restarted);
    } finally {
      await ancestor.dispose();
    }
  });
}

async function moorage(stage: Stage, renewals: number, report: Progress): Promise<Ours> {
  const done: Renewal[] = [];
  const nginx: Resources[] = [];
  const renewer: Resources[] = [];
  const look = async () => {
    nginx.push(await nginxAtRest(stage));
    renewer.push(await resourcesOf(await containerOf(stage, 'renewer'), /^node bin\/main\.mjs/));
  };
  await underLoad(stage, async (tally) => {
    await look();
    for (let number = 1; number <= renewals; number += 1) {
      const due = async () => scheduleOf(readCertificate(await storedChain(stage)), undefined).due;
      const each = await watch(stage, tally, due).catch(async (error: unknown) => {
        throw new Error(`${messageOf(error)}; the renewer says:\n${await renewerLog(stage)}`);
      });
      done.push(each);
      await look();
      report(
        `renewal ${number} of ${renewals}: ${summary(each)}; ${held(nginx)} nginx, ${held(renewer)} renewer`,
      );
    }
  });
  return { renewals: done, nginx, renewer };
}

async function theirs(
  stage: Stage,
  ancestor: Ancestor,
  tell: 'reload' | 'restart',
  renewals: number,
  report: Progress,
): Promise<Renewal[]> {
  const done: Renewal[] = [];
  await underLoad(stage, async (tally) => {
    for (let number = 1; number <= renewals; number += 1) {
      const each = await watch(stage, tally, async () => {
        const begun = new Date();
        await ancestor.renew();
        await ancestor[tell]();
        return begun;
      });
      done.push(each);
      report(`certbot and ${tell} ${number} of ${renewals}: ${summary(each)}`);
    }
  });
  return done;
}

async function underLoad({ target }: Stage, work: (tally: Tally) => Promise<void>): Promise<void> {
  const tally = new Tally();
  const load = await startLoad(target, tally);
  try {
    await work(tally);
  } finally {
    await load.stop();
  }
}

/** Sees one renewal through. @param begin does what is to be done for it, and returns since when it is awaited */
async function watch({ target, large }: Stage, tally: Tally, begin: () => Promise<Date>): Promise<Renewal> {
  const before = await shown(target);
  const finish = await hold(target, large, tally);
  const since = await begin();
  await until('a new certificate is served', async () => {
    const now = await tally.count('handshake', () => shown(target));
    return now !== undefined && now !== before;
  });
  const seconds = (Date.now() - since.getTime()) / 1000;
  await sleep(SETTLE);
  await finish();
  return { seconds, ...tally.take() };
}

/** Once the workers that served the certificate before are gone. */
async function nginxAtRest(stage: Stage): Promise<Resources> {
  const nginx = await containerOf(stage, 'nginx');
  await until(
    'old workers end',
    async () => (await resourcesOf(nginx, /^nginx: .*shutting down/)).processes === 0,
  );
  return resourcesOf(nginx, /^nginx: /);
}

async function containerOf({ checkout }: Stage, part: string): Promise<string> {
  const label = (name: string, value: string) => ['--filter', `label=com.docker.compose.${name}=${value}`];
  const { stdout } = await execa('docker', [
    'ps',
    '--quiet',
    ...label('project', checkout.project),
    ...label('service', part),
  ]);
  return stdout.trim();
}

async function renewerLog({ checkout }: Stage): Promise<string> {
  return (await checkout.compose('logs', '--no-log-prefix', '--tail', '20', 'renewer')).stdout;
}

function summary({ seconds, asked, failed }: Renewal): string {
  const [first] = failed;
  const told = first === undefined ? '' : ` (${first})`;
  return `${seconds.toFixed(1)} s, ${failed.length} of ${asked} requests failed${told}`;
}

function held(looks: readonly Resources[]): string {
  const last = looks.at(-1);
  return `${last?.memory.toFixed()} MB ${last?.files} files`;
}

function result(what: string, ours: Ours, signalled: readonly Renewal[], restarted: readonly Renewal[]) {
  const served = secondsRow(MOORAGE, ours.renewals);
  const peer = secondsRow(SIGNALLED, signalled);
  const rows: Row[] = [
    ...requestRows(MOORAGE, what, ours.renewals),
    served,
    ...resourceRows('nginx', ours.nginx),
    ...resourceRows('renewer', ours.renewer),
    ...requestRows(SIGNALLED, what, signalled),
    peer,
    ...requestRows(RESTARTED, what, restarted),
    secondsRow(RESTARTED, restarted),
  ];
  const goals = [
    atMost(0, 'failed requests', lost(ours.renewals)),
    { ...below(5, served), name: 'due to served, median seconds' },
    atMost(1, 'due to served, times what certbot and SIGHUP take', served.median / peer.median),
    ...growth('nginx', ours.nginx),
    ...growth('renewer', ours.renewer),
  ];
  return { rows, goals };
}

function secondsRow(name: string, renewals: readonly Renewal[]): Row {
  const seconds = renewals.map((each) => each.seconds);
  return row(name, name === MOORAGE ? 'due to served' : 'begun to served', seconds);
}

function requestRows(name: string, what: string, renewals: readonly Renewal[]): Row[] {
  const asked = renewals.map((each) => each.asked);
  const failed = renewals.map((each) => each.failed.length);
  return [
    row(name, `requests, each of ${renewals.length} renewals ${what}`, asked, 'requests'),
    row(name, 'of them failed', failed, 'requests'),
  ];
}

function resourceRows(name: string, samples: readonly Resources[]): Row[] {
  return [
    row(
      name,
      'memory',
      samples.map(({ memory }) => memory),
      'MB',
    ),
    row(
      name,
      'open files',
      samples.map(({ files }) => files),
      'files',
    ),
  ];
}

function growth(name: string, samples: readonly Resources[]) {
  const from = Math.min(WARM_UP, samples.length - 2);
  const [warm, end] = [samples.slice(from, from + LOOKS), samples.slice(-LOOKS)];
  const times = (of: (one: Resources) => number) =>
    row(name, '', end.map(of)).median / row(name, '', warm.map(of)).median;
  const since = `at the end, times that after ${from} renewals`;
  return [
    atMost(
      1.2,
      `${name}: memory ${since}`,
      times(({ memory }) => memory),
    ),
    atMost(
      1.2,
      `${name}: open files ${since}`,
      times(({ files }) => files),
    ),
  ];
}

function lost(renewals: readonly Renewal[]): number {
  return renewals.reduce((sum, { failed }) => sum + failed.length, 0);
}
