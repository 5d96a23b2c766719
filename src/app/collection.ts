import { CHECKER } from '../access/prover.ts';
import { CertificateStore } from '../certificates/store.ts';
import { type Before, leaveOut } from '../collection/collect.ts';
import { finishInterrupted } from '../collection/finish.ts';
import { COLLECTOR, type CollectionParts, HOLDER } from '../collection/parts.ts';
import { expectNothingToBringBack } from '../collection/preconditions.ts';
import { RegistryPart } from '../collection/registry-part.ts';
import { type AskHead, CONNECTIONS } from '../collection/verify.ts';
import { counted } from '../counted.ts';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import { openTree } from '../inventory/open.ts';
import { type Credentials, type Endpoint, RegistryClient } from '../registry/client.ts';
import { Heads } from '../registry/heads.ts';
import { statusOnceKnown } from '../registry/known.ts';
import { recover } from '../retention/apply.ts';
import { expired, foldersOf } from '../retention/expired.ts';
import { PrunedFile } from '../retention/pruned.ts';
import type { Settings } from '../settings/settings.ts';
import { recentLog } from '../stack/compose.ts';
import { httpAddress, nginxAddress } from '../stack/nginx.ts';
import { holdsLease } from '../stack/writes.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { withLock } from '../system/lock.ts';
import { withTemporaryUser } from '../users/temporary-user.ts';
import { type App, lockFile, openEvents, openJournal } from './app.ts';

/** The real parts of a collection. */
export function openCollection(app: App, settings: Settings, engine: Engine): CollectionParts {
  const { paths, clock } = app;
  return {
    engine,
    registry: new RegistryPart(engine, settings.project, clock),
    paths,
    settings,
    clock,
    ...records(app),
    openTree: () => openTree(settings, clock),
    log: (part) => recentLog(app, part),
  };
}

/** Lets `work` ask for images as somebody who may pull all of them. */
export async function asChecker<T>(
  app: App,
  settings: Settings,
  work: (askHead: AskHead) => Promise<T>,
): Promise<T> {
  return withChecker(app, settings, async (endpoint, credentials) => {
    const heads = new Heads(endpoint, credentials, CONNECTIONS);
    try {
      return await work((path) => heads.status(path));
    } finally {
      heads.close();
    }
  });
}

/** Lets `work` pull images as the same. */
export async function asPuller<T>(
  app: App,
  settings: Settings,
  work: (client: RegistryClient) => Promise<T>,
): Promise<T> {
  return withChecker(app, settings, (endpoint, credentials) =>
    work(new RegistryClient(endpoint, credentials)),
  );
}

async function withChecker<T>(
  { paths, clock }: App,
  settings: Settings,
  work: (endpoint: Endpoint, credentials: Credentials) => Promise<T>,
): Promise<T> {
  return withTemporaryUser(paths.usersFile, CHECKER, async (credentials: Credentials) => {
    const endpoint = await endpointHere(paths.certificates, settings, clock);
    const client = new RegistryClient(endpoint, credentials);
    await statusOnceKnown(clock, { check: () => client.check().catch(() => 0) }); // else `work` finds out what is wrong
    return work(endpoint, credentials);
  });
}

/** What goes with this collection because `prune` removed it, and its days are over. */
export interface GivenUp {
  /** What there is beside it. */
  readonly before: Before;
  readonly forget: readonly string[];
  /** To be called when it is gone. */
  readonly done: () => Promise<void>;
}

export async function giveUp({ paths, clock }: App, found: Before): Promise<Done<GivenUp>> {
  const pruned = new PrunedFile(paths.pruned);
  const { manifests, over, unclear } = expired(found.inventory, await pruned.read(), { now: clock.now() });
  const value = {
    before: await leaveOut({ clock }, found, manifests),
    forget: foldersOf({ manifests }),
    done: () => pruned.forget(over),
  };
  const kept =
    unclear.length === 0 ? '' : `; nothing of ${unclear.join(', ')}, where something can't be read`;
  if (manifests.length === 0) return unchanged(`nothing is given up${kept}`, value);
  return changed(`given up: ${counted(manifests.length, 'removed manifest')}${kept}`, value);
}

/**
 * For `--delete-untagged`, which takes away what has no tag: what `prune` has out of the way has none for a moment.
 * @throws WrongInput while something can be brought back
 */
export async function expectNothingUntagged({ paths, clock }: App, parts: CollectionParts): Promise<void> {
  const pruned = new PrunedFile(paths.pruned);
  await recover({ tree: await parts.openTree(), pruned });
  expectNothingToBringBack(await pruned.read(), clock.now());
}

/** Ends what the last run left, if it was killed, once its collector has ended. */
export async function finishBefore(parts: CollectionParts): Promise<Done> {
  const { paths, clock, registry } = parts;
  const works = async () =>
    (await holdsLease(paths, COLLECTOR, clock.now())) || (await registry.collectorRuns());
  return finishInterrupted(parts, works, { patient: true });
}

/**
 * For the daemon: ends what a collection left that was killed, if there is one and nobody else is at it.
 * @returns a line about it
 */
export async function clearInterrupted(app: App): Promise<string | undefined> {
  const { paths, clock } = app;
  const parts = { paths, clock, ...records(app) };
  if ((await parts.journal.interrupted()) === undefined) return undefined;
  const held = async (holder: string) => holdsLease(paths, holder, clock.now());
  const works = async () => (await held(COLLECTOR)) || (await held(HOLDER));
  try {
    return await withLock(lockFile(app, 'storage'), 'the daemon', clock, async () => {
      const { summary }: Done = await finishInterrupted(parts, works, { patient: false });
      return summary;
    });
  } catch (error) {
    if (error instanceof Failure && error.code === 'locked') return undefined;
    throw error;
  }
}

function records(app: App) {
  return { journal: openJournal(app, 'gc'), events: openEvents(app) };
}

/** nginx on this very machine, known by the certificate that we gave it. */
async function endpointHere(folder: string, settings: Settings, clock: App['clock']): Promise<Endpoint> {
  const { domain: name, issuer } = settings;
  if (issuer === 'none') return { name, ...httpAddress(settings), trust: { kind: 'plain' } };
  const { certificate } = await new CertificateStore(folder, clock).expectCurrent();
  const { fingerprint } = certificate;
  return { name, ...nginxAddress(settings), trust: { kind: 'certificate', fingerprint } };
}
