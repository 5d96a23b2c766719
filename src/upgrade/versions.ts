import type { Engine } from '../engine/engine.ts';
import type { ImageRole, Program } from '../settings/settings.ts';

/** What tells its version. The programs of our own have it in their tags. */
const ASKED: Readonly<Partial<Record<ImageRole | Program, readonly [program: string, argument: string]>>> = {
  registry: ['registry', '--version'],
  nginx: ['nginx', '-v'],
  redis: ['redis-server', '--version'],
};

/** The version of what runs in a container; `undefined` where it does not tell. */
export async function versionIn(
  engine: Engine,
  container: string,
  role: ImageRole | Program,
): Promise<string | undefined> {
  const asked = ASKED[role];
  if (asked === undefined) return undefined;
  const told = await engine.containers.exec(container, asked).catch(() => undefined);
  return told?.exitCode === 0 ? parseVersion(told.output) : undefined;
}

/** The version of what is in an image that is here; `undefined` where it does not tell. */
export async function versionOf(
  engine: Engine,
  image: string,
  role: ImageRole | Program,
): Promise<string | undefined> {
  const [entrypoint, argument] = ASKED[role] ?? [];
  if (entrypoint === undefined || argument === undefined) return undefined;
  const key = image.replaceAll(/[^a-zA-Z0-9]/g, '').slice(-16);
  const spec = { name: `moorage-version-${key}`, image, entrypoint, args: [argument], env: {}, mounts: [] };
  const told = await engine.containers
    .runOnce({ ...spec, network: 'none', user: '65534:65534', labels: {} }, () => undefined)
    .catch(() => undefined);
  return told?.exitCode === 0 ? parseVersion(told.output) : undefined;
}

/** `registry github.com/distribution/distribution/v3 v3.0.0`, `nginx version: nginx/1.28.0`, `Redis server v=8.0.2 …` */
export function parseVersion(output: string): string | undefined {
  return /\d+\.\d+\.\d+(?:[-+~][\w.+~-]+)?/.exec(output)?.[0];
}
