import { randomBytes } from 'node:crypto';
import { digestOf } from '../../src/registry/digest.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { Checkout } from './checkout.ts';
import { ANY_MANIFEST, ImagePusher } from './pushed-images.ts';
import { RegistryCalls } from './registry-calls.ts';

/** Between two tries of a push, as Docker's first pause. */
const PAUSE = 500;
/** A push that fails so often is one that would have failed for its person. */
const TRIES = 60;
const KiB = 1024;

export interface BusyOptions {
  readonly pushers: number;
  readonly rounds: number;
}

export interface BusyResult {
  readonly pushed: number;
  readonly refused: number;
  readonly deleted: number;
  /** What was said to be pushed, was not deleted, and can't be pulled as a whole. */
  readonly lost: readonly string[];
  /** Runs of gc that did not end with 0. */
  readonly failed: readonly string[];
}

interface Kept {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/**
 * Rounds of push, prune, collect and pull at the same time: clients push images that share layers with deleted ones,
 * and come again when they are refused; old tags are deleted; gc runs all the while.
 */
export async function keepBusy(
  checkout: Checkout,
  as: string,
  { pushers, rounds }: BusyOptions,
): Promise<BusyResult> {
  const calls = new RegistryCalls(checkout);
  const pusher = new ImagePusher(calls, as);
  const kept: Kept[] = [];
  const failed: string[] = [];
  let [pushed, refused, deleted, over] = [0, 0, 0, false];
  // Each comes and goes with the images that have it: a push may find it, and it may be collected the moment after.
  const shared = Array.from({ length: 4 }, () => randomBytes(8 * KiB).toString('hex'));

  const push = async (client: number, turn: number) => {
    const [repository, tag] = [`busy/client-${client}`, `v${turn}`];
    const layers = [shared[turn % shared.length] ?? '', randomBytes(16 * KiB).toString('hex')];
    for (let tried = 1; tried <= TRIES; tried += 1) {
      try {
        const { digest } = await pusher.imageAsClientsDo(repository, tag, layers);
        pushed += 1;
        return { repository, tag, digest };
      } catch {
        refused += 1;
        await systemClock.sleep(PAUSE);
      }
    }
    throw new Error(`${repository}:${tag} was refused ${TRIES} times`);
  };
  const client = async (number: number) => {
    const own: Kept[] = [];
    for (let turn = 0; !over; turn += 1) {
      own.push(await push(number, turn));
      const oldest = own.length > 2 ? own.shift() : undefined;
      if (oldest === undefined) continue;
      await pusher.delete(oldest.repository, oldest).then(
        () => {
          deleted += 1;
        },
        () => kept.push(oldest), // refused: it is still there
      );
    }
    kept.push(...own);
  };
  const collector = async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { exitCode, stderr } = await checkout.npm('gc', ['--wait', '30']);
      if (exitCode !== 0) failed.push(stderr);
    }
    over = true;
  };
  await Promise.all([collector(), ...Array.from({ length: pushers }, (_, number) => client(number))]);

  const lost: string[] = [];
  for (const image of kept) {
    const problem = await problemOf(calls, as, image);
    if (problem !== undefined) lost.push(`${image.repository}:${image.tag}: ${problem}`);
  }
  return { pushed, refused, deleted, lost, failed };
}

async function problemOf(calls: RegistryCalls, as: string, image: Kept): Promise<string | undefined> {
  const path = `/v2/${image.repository}/manifests/${image.tag}`;
  const { status, text } = await calls.ask('GET', path, { as, headers: { accept: ANY_MANIFEST } });
  if (status !== 200) return `the manifest was answered with ${status}`;
  if (digestOf(Buffer.from(text)) !== image.digest) return 'the manifest is another';
  const { config, layers } = JSON.parse(text);
  for (const { digest } of [config, ...layers]) {
    const blob = await calls.ask('GET', `/v2/${image.repository}/blobs/${digest}`, { as });
    if (digestOf(Buffer.from(blob.text)) !== digest) return `${digest} was answered with ${blob.status}`;
  }
  return undefined;
}
