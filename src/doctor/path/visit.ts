import { join } from 'node:path';
import { DOCTOR, DOCTOR_REPOSITORY } from '../../access/prover.ts';
import { messageOf } from '../../errors.ts';
import { onDisk } from '../../inventory/layout.ts';
import { sizeInWords } from '../../low-water.ts';
import type { Credentials } from '../../registry/client.ts';
import { CutOff, exchange, type Question, type Reply, type Speaker } from '../../registry/exchange.ts';
import { diskState } from '../../stack/image-disk.ts';
import { eventually } from '../../system/clock.ts';
import { diskOf } from '../../system/disk.ts';
import { withLock } from '../../system/lock.ts';
import { withTemporaryUser } from '../../users/temporary-user.ts';
import type { Context } from '../context.ts';
import { type Endpoints, findEndpoints } from './endpoints.ts';
import { Leavings } from './leavings.ts';
import type { RandomBody } from './random-body.ts';

/** Whoever checks passwords sees a new user within a second. */
const KNOWN = { within: 15_000, every: 500 };
const MIB = 1024 ** 2;
/** Cloudflare's free plan takes 100 MB, and so do many who copied that. */
export const LARGE = 128 * MIB;
/** Two such layers, and something for everybody else who pushes meanwhile. */
const ROOM = 3 * LARGE;

/** A client's visit to the registry, with a login of its own that is gone afterwards. */
export interface Visit {
  readonly context: Context;
  readonly endpoints: Endpoints;
  readonly repository: string;
  readonly credentials: Credentials;
  /** Through the public address, and past whatever is in front. */
  readonly outer: Speaker;
  readonly inner: Speaker;
  readonly leavings: Leavings;
  /** Why nothing large is to be pushed; `undefined`: there is room. */
  readonly noRoom: string | undefined;
  /** Why there is nobody to visit; found by the first check. */
  blocked: string | undefined;
  /** Who stands in front, by name, once it is known. */
  hop: string | undefined;
  /** A layer that was pushed, for those who come after. */
  pushed: { readonly body: RandomBody } | undefined;
  /** The digest of a manifest with that layer. */
  manifest: string | undefined;
}

/** @returns what `work` returns, and what could not be taken away again */
export async function withVisit<T>(
  context: Context,
  work: (visit: Visit) => Promise<T>,
): Promise<{ readonly value: T; readonly left: string | undefined }> {
  const { paths, clock } = context;
  const leavings = new Leavings(context, DOCTOR_REPOSITORY, (path) => removeAsRegistry(context, path));
  return withLock(join(paths.state, 'locks', 'doctor'), 'npm run doctor', clock, async () => {
    await leavings.sweep().catch(() => undefined); // told at the end, if it stays so
    const endpoints = await findEndpoints(context);
    const noRoom = await lackOfRoom(context);
    const value = await withTemporaryUser(paths.usersFile, DOCTOR, (credentials) =>
      work({
        context,
        endpoints,
        repository: DOCTOR_REPOSITORY,
        credentials,
        outer: { endpoint: endpoints.outer, credentials },
        inner: { endpoint: endpoints.inner, credentials },
        leavings,
        noRoom,
        blocked: undefined,
        hop: undefined,
        pushed: undefined,
        manifest: undefined,
      }),
    );
    const left = await leavings.sweep().then(() => undefined, messageOf);
    return { value, left };
  });
}

/** The same question to our own nginx; `undefined`: it does not answer. */
export async function askInner({ inner }: Pick<Visit, 'inner'>, question: Question, signal: AbortSignal) {
  try {
    return await exchange(inner, question, { signal });
  } catch (error) {
    if (error instanceof CutOff) return undefined;
    throw error;
  }
}

/** Waits until the login is known. The answer to the last try. */
export async function loggedIn({ outer, context }: Visit, signal: AbortSignal): Promise<Reply> {
  let last: Reply | undefined;
  await eventually(context.clock, KNOWN, async () => {
    last = await exchange(outer, { method: 'GET', path: '/v2/' }, { signal });
    return last.status === 401 ? undefined : true;
  });
  if (last === undefined) throw new Error('nobody was asked');
  return last;
}

/** In its container, where it is root. */
async function removeAsRegistry({ engine, settings }: Context, path: string): Promise<void> {
  const [registry] = await engine.containers.ofService(settings.project, 'registry');
  if (registry?.running !== true) throw new Error('the registry does not run');
  const place = onDisk('/var/lib/registry', path);
  const { exitCode, output } = await engine.containers.exec(registry.id, ['rm', '-rf', '--', place]);
  if (exitCode !== 0) throw new Error(output.trim());
}

/** A push that would bring the disk to its low-water mark is left out: it would shut out everybody's. */
async function lackOfRoom({ settings }: Context): Promise<string | undefined> {
  const state = await diskState(settings);
  if (state.kind === 'low') return `the disk is low: only ${sizeInWords(state.free)} are free`;
  if (settings.storage.kind !== 'filesystem') return undefined;
  const { free } = await diskOf(settings.registryDataDirectory);
  const mark = state.kind === 'enough' ? state.mark : 0;
  return free - mark < ROOM
    ? `the disk is low: ${sizeInWords(free)} are free, ${sizeInWords(mark)} are kept free`
    : undefined;
}
