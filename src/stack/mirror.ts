import type { Engine } from '../engine/engine.ts';
import { Failure, unreachable } from '../errors.ts';
import { checkUpstream, type UpstreamState, upstreamProblem } from '../mirror/check.ts';
import { Upstream } from '../mirror/upstream.ts';
import type { Mirror } from '../settings/mirror.ts';
import { mirrorAuthority, type Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { askSilently, sniOf } from './answer.ts';
import { httpAddress, nginxAddress } from './nginx.ts';

const UP_WITHIN = 60_000;

/**
 * Makes sure that what is to be mirrored lets the mirror in, before anything changes. One that does not answer now may
 * do so later.
 * @throws Failure `mirror-login`, `mirror-untrusted`, `mirror-no-registry`
 */
export async function ensureUpstream(mirror: Mirror, clock: Clock): Promise<Done> {
  const state = await stateOfUpstream(mirror, clock);
  const problem = upstreamProblem(state);
  if (problem === undefined) return unchanged(`${mirror.upstream} lets the mirror in`);
  const message = `${mirror.upstream} ${problem}.`;
  switch (state.kind) {
    case 'open':
    case 'away':
      return unchanged(`${message} The mirror gives what it has, and goes on when it answers`);
    case 'wants-login':
    case 'refuses-login':
      throw new Failure(
        'mirror-login',
        message,
        'Set both in .env as the upstream knows them, then run this again.',
      );
    case 'untrusted':
      throw new Failure(
        'mirror-untrusted',
        message,
        'If its CA is a private one, name its PEM file by MIRROR_CA_BUNDLE in .env, then run this again.',
      );
    case 'no-registry':
      throw new Failure(
        'mirror-no-registry',
        message,
        'Set MIRROR_OF in .env to a registry, then run this again.',
      );
    default:
      return unreachable(state);
  }
}

/**
 * Waits until the mirror answers at its address, and its own parts are well.
 * @throws Failure `mirror-down`, with the last lines of the logs
 */
export async function awaitMirror(
  settings: Settings,
  mirror: Mirror,
  {
    engine,
    clock,
    log,
  }: { engine: Engine; clock: Clock; log: (part: 'mirror' | 'relay') => Promise<string> },
): Promise<Done> {
  let last = '';
  const answered = await eventually(clock, { within: UP_WITHIN, every: 100 }, async () => {
    last =
      (await mirrorSilence(settings, mirror)) ?? ((await isWell(engine, settings)) ? '' : 'it is not well');
    return last === '' ? true : undefined;
  });
  if (answered) return unchanged(`${mirrorAuthority(mirror, settings)} answers for ${mirror.upstream}`);
  const parts = ['mirror', 'relay'] as const;
  const logs = await Promise.all(parts.map(async (part) => `${part}: ${await log(part)}`));
  throw new Failure(
    'mirror-down',
    `The mirror does not answer GET /v2/ within 60 s: ${last}. The logs end with:\n${logs.join('\n')}`,
    'Fix what they report, then run this again.',
  );
}

export interface MirrorState {
  /** What stands in the way of the mirror's own answer. */
  readonly silence: string | undefined;
  /** What is wrong with the registry that is mirrored. */
  readonly upstream: string | undefined;
}

/** @param within milliseconds that the mirror has for its answer */
export async function stateOfMirror(
  settings: Settings,
  mirror: Mirror,
  clock: Clock,
  within: number,
): Promise<MirrorState> {
  const [silence, state] = await Promise.all([
    mirrorSilence(settings, mirror, within),
    stateOfUpstream(mirror, clock),
  ]);
  return { silence, upstream: upstreamProblem(state) };
}

async function stateOfUpstream(mirror: Mirror, clock: Clock): Promise<UpstreamState> {
  const upstream = new Upstream({ url: mirror.upstream, clock, ...mirror });
  try {
    return await checkUpstream(upstream, mirror.credentials !== undefined);
  } finally {
    upstream.close();
  }
}

/** As at the registry, who asks without a password is answered. */
function mirrorSilence(settings: Settings, mirror: Mirror, within?: number): Promise<string | undefined> {
  const plain = settings.issuer === 'none';
  const { host, port } = plain ? httpAddress(settings) : nginxAddress(settings);
  const headers = { host: mirrorAuthority(mirror, settings) };
  if (mirror.domain !== undefined)
    return askSilently({ host, port, servername: mirror.domain, headers }, plain, within);
  const at = { host, port: mirror.port, servername: sniOf(settings.domain), headers };
  return askSilently(at, plain, within);
}

/** distribution's health, and its way to the relay. */
async function isWell(engine: Engine, { project }: Settings): Promise<boolean> {
  const [mirror] = await engine.containers.ofService(project, 'mirror');
  if (mirror?.running !== true) return false;
  const places = ['http://127.0.0.1:5001/debug/health', 'http://relay:8080/v2/'];
  const command = ['wget', '-q', '-O', '/dev/null'];
  const asked = places.map((place) =>
    engine.containers.exec(mirror.id, [...command, place]).catch(() => undefined),
  );
  return (await Promise.all(asked)).every((each) => each?.exitCode === 0);
}
