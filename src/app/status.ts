import { join } from 'node:path';
import type { Issuer, Origin } from '../certificates/issuer.ts';
import { Ledger } from '../certificates/ledger.ts';
import { glance } from '../certificates/outlook.ts';
import { StateFile } from '../certificates/state.ts';
import { CertificateStore } from '../certificates/store.ts';
import { rollCall } from '../engine/roll-call.ts';
import { unreachable } from '../errors.ts';
import { Events } from '../events.ts';
import { readInventory } from '../inventory/inventory.ts';
import { type Usage, usageOf } from '../inventory/usage.ts';
import type { Directory } from '../settings/directories.ts';
import { certificateNames, mirrorAuthority, registryUrl, type Settings } from '../settings/settings.ts';
import { registrySilence } from '../stack/answer.ts';
import { diskState, imageDisk } from '../stack/image-disk.ts';
import { readMove } from '../stack/moved.ts';
import { expectedParts, partStates } from '../stack/parts.ts';
import { expectSetUp } from '../stack/set-up.ts';
import { happenings } from '../status/happenings.ts';
import { type Seen, type Status, seen } from '../status/status.ts';
import { readUnderWay } from '../status/under-way.ts';
import { readUsersState } from '../status/users.ts';
import { readOldPlaces } from '../storage/old-places.ts';
import { forecast } from '../usage/forecast.ts';
import { UsageLog } from '../usage/usage-log.ts';
import { readAccessState } from '../users/access-state.ts';
import type { App } from './app.ts';

/** Of an app: `openApp` would load every issuer, which takes longer than all of this. */
export type Watched = Pick<App, 'paths' | 'clock' | 'environment'>;

/** Who waits for `status` wants to hear that there is no answer. */
const ANSWER_WITHIN = 5_000;
const EVENTS = 5;

/**
 * Looks at everything at once, and waits for nobody: no lock, no CA. Nothing is changed.
 * @param storage what `readStorage` finds
 * @throws Failure `not-set-up`
 */
export async function gatherStatus(
  app: Watched,
  settings: Settings,
  storage: Status['storage'] | Promise<Status['storage']>,
): Promise<Status> {
  const { paths, clock, environment } = app;
  const { auth, mirror } = settings;
  const events = new Events(paths.events, clock);
  const [
    silence,
    parts,
    certificate,
    access,
    users,
    disk,
    trend,
    mirrored,
    old,
    underWay,
    move,
    last,
    ledger,
    used,
  ] = await Promise.all([
    registrySilence(settings, ANSWER_WITHIN),
    seen(async () =>
      partStates(expectedParts(settings), await rollCall(environment.DOCKER_HOST, settings.project)),
    ),
    seen(() => certificateOutlook(app, settings)),
    seen(async () => (auth.by === 'gate' ? readAccessState(paths) : undefined)),
    seen(() => readUsersState(paths, clock.now())),
    diskState(settings),
    trendOf(app, settings).catch(() => undefined),
    stateOfMirror(app, settings),
    readOldPlaces(paths.oldPlaces).catch(() => []),
    readUnderWay(paths, clock),
    readMove(paths),
    events.last(EVENTS).catch(() => []),
    new Ledger(paths.ledger, clock).read().catch(() => []),
    storage,
  ]);
  await expectSomething(app, parts, certificate);
  return {
    at: clock.now(),
    url: registryUrl(settings),
    silence,
    parts,
    certificate,
    auth: auth.by,
    access,
    users,
    storage: used,
    disk,
    forecast: trend,
    mirror: mirror && mirrored && { ...mirrored, at: mirrorAuthority(mirror, settings), of: mirror.upstream },
    oldPlaces: old,
    underWay,
    move,
    events: happenings(last, ledger, EVENTS),
  };
}

/** What images take, by repository. A folder is read in no time; a bucket may take minutes. */
export function readStorage({ clock }: Watched, settings: Settings): Promise<Seen<Usage>> {
  return seen(async () => {
    // What speaks to a bucket is loaded only for a bucket.
    const { openTree } = await import('../inventory/open.ts');
    return usageOf(await readInventory(await openTree(settings, clock)));
  });
}

async function trendOf({ paths, clock }: Watched, settings: Settings) {
  const disk = await imageDisk(settings);
  return disk && forecast(await new UsageLog(paths.usage, clock).read(), disk, clock.now());
}

async function stateOfMirror({ clock }: Watched, settings: Settings) {
  if (settings.mirror === undefined) return undefined;
  const { stateOfMirror: look } = await import('../stack/mirror.ts');
  return look(settings, settings.mirror, clock, ANSWER_WITHIN);
}

async function certificateOutlook({ paths, clock }: Watched, settings: Settings) {
  const { fallbackDirectory } = settings;
  return glance({
    store: new CertificateStore(paths.certificates, clock),
    state: new StateFile(join(paths.state, 'renewal.json')),
    names: certificateNames(settings),
    issuer: await issuerOf(settings, clock),
    fallback: fallbackDirectory && { origin: originOf(settings, fallbackDirectory) },
    clock,
  });
}

async function issuerOf(
  settings: Settings,
  clock: Watched['clock'],
): Promise<Pick<Issuer, 'origin' | 'offered'>> {
  if (settings.provided === undefined || settings.issuer !== 'provided')
    return { origin: originOf(settings, settings.directory) };
  const { ProvidedIssuer } = await import('../issuers/provided.ts');
  return new ProvidedIssuer(settings.provided, clock);
}

function originOf({ issuer }: Settings, { url }: Directory): Origin {
  switch (issuer) {
    case 'certbot':
    case 'acme':
      return { issuer, directory: url };
    case 'local':
    case 'provided':
    case 'none':
      return { issuer };
    default:
      return unreachable(issuer);
  }
}

async function expectSomething(
  { paths }: Watched,
  parts: Status['parts'],
  certificate: Status['certificate'],
): Promise<void> {
  const none = certificate.kind === 'seen' && certificate.what.current.kind === 'missing';
  const runs = parts.kind === 'seen' && parts.what.some(({ condition }) => condition !== 'missing');
  if (none && !runs) await expectSetUp(paths);
}
