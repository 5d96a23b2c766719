import { join } from 'node:path';
import { DOCTOR, DOCTOR_REPOSITORY } from '../../access/prover.ts';
import { messageOf } from '../../errors.ts';
import { onDisk, repositoryFolder } from '../../inventory/layout.ts';
import { openTree } from '../../inventory/open.ts';
import { sizeInWords } from '../../low-water.ts';
import type { Credentials } from '../../registry/client.ts';
import { digestOf } from '../../registry/digest.ts';
import { diskState } from '../../stack/image-disk.ts';
import type { Report } from '../../step.ts';
import { fetchPresigned } from '../../storage/presigned.ts';
import { diskOf } from '../../system/disk.ts';
import { withLockInTurn } from '../../system/lock.ts';
import { withTemporaryUser } from '../../users/temporary-user.ts';
import type { Context } from '../context.ts';
import { findEndpoints } from './endpoints.ts';
import { Leavings } from './leavings.ts';
import { LARGE, type Visit, visitOf } from './visit.ts';

/** Two such layers, and something for everybody else who pushes meanwhile. */
const ROOM = 3 * LARGE;

/** What somebody who visits this registry has for a while. */
export interface Stay {
  /** Of a user who may use the doctor's repository and nothing else. */
  readonly credentials: Credentials;
  /** What is noted here is taken away afterwards. */
  readonly leavings: Leavings;
  /** Why nothing large is to be pushed; `undefined`: there is room. */
  readonly noRoom: string | undefined;
}

/** How something went, and what could not be taken away again. */
export interface Left<T> {
  readonly value: T;
  readonly left: string | undefined;
}

/** How long another doctor at work is waited for. */
export interface Wait {
  /** Milliseconds. */
  readonly patience: number;
  readonly onWait: Report;
}

const AT_ONCE: Wait = { patience: 0, onWait: () => undefined };

/**
 * A login that is gone afterwards, as is what was pushed with it. What a killed run left is taken away first.
 * @throws Failure `locked`
 */
export async function withStay<T>(
  context: Context,
  work: (stay: Stay) => Promise<T>,
  wait: Wait = AT_ONCE,
): Promise<Left<T>> {
  const { paths, clock } = context;
  const leavings = new Leavings(context, DOCTOR_REPOSITORY, (path) => removeAsRegistry(context, path));
  const turn = { path: join(paths.state, 'locks', 'doctor'), what: 'npm run doctor', clock, ...wait };
  return withLockInTurn(turn, async () => {
    await leavings.sweep().catch(() => undefined); // told at the end, if it stays so
    const noRoom = await lackOfRoom(context);
    const value = await withTemporaryUser(paths.usersFile, DOCTOR, (credentials) =>
      work({ credentials, leavings, noRoom }),
    );
    const left = await leavings.sweep().then(() => undefined, messageOf);
    return { value, left };
  });
}

/** A visit from the machine itself. */
export async function withVisit<T>(context: Context, work: (visit: Visit) => Promise<T>): Promise<Left<T>> {
  const { clock, settings } = context;
  const { storage } = settings;
  return withStay(context, async ({ credentials, leavings, noRoom }) => {
    const endpoints = await findEndpoints(context);
    const visit = visitOf({
      clock,
      endpoints,
      outer: { endpoint: endpoints.outer, credentials },
      login: 'made',
      inside: {
        inner: { endpoint: endpoints.inner, credentials },
        arrived: async (location) => (storage.kind === 's3' ? undefined : arrived(context, location)),
      },
      redirected: storage.kind === 's3' && storage.redirect,
      fetched: async (location) =>
        storage.kind === 's3' ? digestOf(await fetchPresigned(location, storage)) : '',
      note: (digest) => leavings.note(digest),
      noRoom,
    });
    return work(visit);
  });
}

/** distribution writes an upload to its file as it comes. */
async function arrived({ settings, clock }: Context, location: string): Promise<number> {
  const uuid = /\/blobs\/uploads\/([0-9a-f-]+)/i.exec(location)?.[1];
  const tree = await openTree(settings, clock);
  const facts = await tree.facts(`${repositoryFolder(DOCTOR_REPOSITORY)}/_uploads/${uuid}/data`);
  return facts?.bytes ?? 0;
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
