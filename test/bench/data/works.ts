import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Failure } from '../../../src/errors.ts';
import { MANIFEST_TYPE } from '../../../src/registry/image.ts';
import { usedBy } from '../resources.ts';
import type { Unit } from '../result.ts';
import { type Content, namedFor, placeOf } from './files.ts';
import { LIMIT, NAME, urlOf } from './fronts.ts';
import { FILES, type Said } from './load.ts';
import { MANIFEST, type Stage, type Standing } from './stage.ts';

const PUSHED = 'bench/pushed';
/** As many as the issue's figures of manifests were taken with. */
const ASKING = 16;
const PATIENCE = '60s';
/** Of wrk: with more connections than one, a single thread could be what ends first. */
const THREADS = 2;

/** What is done to a registry: once in each round. */
export interface Work {
  readonly name: string;
  readonly unit: Unit;
  /** What CPU and disk are added up by. */
  readonly kind: Kind;
  readonly run: (standing: Standing) => Promise<Outcome>;
}

export type Kind = 'large' | 'small' | 'push' | 'ask';

interface Outcome {
  readonly value: number;
  /** Of blobs, one way or the other. */
  readonly bytes: number;
}

/** What came of it, and what it cost. */
export interface Sample extends Outcome {
  readonly cpu: number;
  readonly written: number;
}

export interface Plan {
  /** Of each pull, and of asking for a manifest; wrk takes whole ones. */
  readonly seconds: number;
  /** Of HEAD and of handshakes. */
  readonly moment: number;
  readonly connections: readonly number[];
  readonly pushes: readonly (1 | 4)[];
}

export function worksOf({ contents }: Stage, plan: Plan): Work[] {
  const size = `${contents.large.bytes / 1024 ** 2} MiB`;
  const pulls = (kind: 'large' | 'small', what: string) =>
    plan.connections.map((connections) => ({
      name: `pull of ${what}, ${several(connections)}`,
      unit: 'MB/s' as const,
      kind,
      run: (standing: Standing) => pull(standing, kind, connections, plan.seconds),
    }));
  const pushes = plan.pushes.map((count) => ({
    name: `push of ${count === 1 ? `one blob of ${size}` : `${size} in ${count} blobs at once`}`,
    unit: 'MB/s' as const,
    kind: 'push' as const,
    run: (standing: Standing) => push(standing, contents.pushed[count]),
  }));
  return [
    ...pulls('large', `one blob of ${size}`),
    ...pulls('small', `${contents.small.length} blobs of 1 MiB`),
    ...pushes,
    asking('GET of a manifest', 'requests/s', (standing) => get(standing, plan.seconds)),
    asking('HEAD of a manifest', 'requests/s', (standing) => head(standing, plan.moment)),
    asking('new TLS connections', 'handshakes/s', (standing) => handshakes(standing, plan.moment)),
  ];
}

/** Whether there is anything to measure. */
export function applies({ unit }: Work, { front }: Standing): boolean {
  return unit !== 'handshakes/s' || front !== LIMIT;
}

export async function sample({ run }: Work, standing: Standing): Promise<Sample> {
  const before = await usedBy(standing.pids);
  const outcome = await run(standing);
  const after = await usedBy(standing.pids);
  await execa('sync'); // what the kernel has yet to write is no burden for the next
  return { ...outcome, cpu: after.cpu - before.cpu, written: after.written - before.written };
}

function several(connections: number): string {
  return connections === 1 ? '1 connection' : `${connections} connections`;
}

function asking(name: string, unit: Unit, run: (standing: Standing) => Promise<Said>): Work {
  const rate = ({ requests = Number.NaN, seconds }: Said) => ({ value: requests / seconds, bytes: 0 });
  return { name, unit, kind: 'ask', run: async (standing) => rate(await run(standing)) };
}

/** Bytes count that have come, whether or not it was the whole blob by the end. */
async function pull(
  standing: Standing,
  kind: 'large' | 'small',
  connections: number,
  seconds: number,
): Promise<Outcome> {
  const said = await wrk(standing, kind, '*/*', connections, seconds);
  const { bytes = Number.NaN } = said;
  return { value: bytes / said.seconds / 1e6, bytes };
}

function get(standing: Standing, seconds: number): Promise<Said> {
  return wrk(standing, 'manifest', MANIFEST_TYPE, ASKING, seconds);
}

async function wrk(
  { front, load }: Standing,
  list: string,
  accept: string,
  connections: number,
  seconds: number,
): Promise<Said> {
  const much = [
    `-t${Math.min(connections, THREADS)}`,
    `-c${connections}`,
    `-d${seconds}`,
    '--timeout',
    PATIENCE,
  ];
  const said = await load.run(
    'wrk',
    ...much,
    '-s',
    'pull.lua',
    urlOf(front).origin,
    '--',
    `${list}.paths`,
    accept,
  );
  if (said.failed !== 0 || said.bytes === 0)
    throw new Failure(
      'load-failed',
      `${front}: of the requests for ${list}, ${said.failed} failed.`,
      'Look into the logs of the parts.',
    );
  return said;
}

function head({ front, load }: Standing, seconds: number): Promise<Said> {
  const { port, protocol } = urlOf(front);
  const where = [NAME, port || '443', protocol === 'https:' ? 'tls' : 'plain', MANIFEST, MANIFEST_TYPE];
  return load.run('python3', 'heads.py', ...where, String(ASKING), String(seconds));
}

function handshakes({ load }: Standing, seconds: number): Promise<Said> {
  return load.run('python3', 'handshakes.py', NAME, String(seconds));
}

/** Distribution keeps what it has: so that the same content is new each time, what came of it is taken away. */
async function push({ front, load, storage }: Standing, contents: readonly Content[]): Promise<Outcome> {
  const named = namedFor(FILES, contents);
  const { seconds } = await load.run('sh', 'push.sh', urlOf(front).origin, PUSHED, ...named);
  const made = [...contents.map(placeOf), `docker/registry/v2/repositories/${PUSHED}`];
  for (const each of made) await rm(join(storage, each), { recursive: true });
  const bytes = contents.reduce((sum, each) => sum + each.bytes, 0);
  return { value: bytes / seconds / 1e6, bytes };
}
