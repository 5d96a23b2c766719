import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Paths } from '../paths.ts';
import type { ImageRole, Program } from '../settings/settings.ts';
import type { Part } from '../stack/compose.ts';
import { expectedParts } from '../stack/parts.ts';

/** Which image a part runs on. */
export const IMAGE_OF: Readonly<Record<Part, ImageRole | Program>> = {
  redis: 'redis',
  registry: 'registry',
  gate: 'gate',
  relay: 'relay',
  mirror: 'registry',
  nginx: 'nginx',
  renewer: 'renewer',
  exporter: 'exporter',
  prometheus: 'prometheus',
};

/** The setting that names the image of a role. */
export const IMAGE_SETTING: Readonly<Record<ImageRole, string>> = {
  registry: 'REGISTRY_IMAGE',
  nginx: 'NGINX_IMAGE',
  certbot: 'CERTBOT_IMAGE',
  node: 'NODE_IMAGE',
  redis: 'REDIS_IMAGE',
  prometheus: 'PROMETHEUS_IMAGE',
};

/**
 * The parts that these settings want, in the order in which they are replaced: whoever is asked before whoever asks. Requests
 * wait for a registry, a gate and a mirror that are away; for nginx nobody can wait, so it comes when all else is well.
 */
export function partsOf(settings: Parameters<typeof expectedParts>[0]): readonly Part[] {
  const expected = expectedParts(settings);
  return IN_TURN.filter((part) => expected.includes(part));
}

const IN_TURN: readonly Part[] = [
  'redis',
  'registry',
  'gate',
  'relay',
  'mirror',
  'nginx',
  'renewer',
  'exporter',
  'prometheus',
];

/** What a part reads when it starts, and Compose does not look into. */
const FILES: Readonly<Partial<Record<Part, readonly string[]>>> = {
  registry: ['registry/config'],
  mirror: ['registry/config'],
  nginx: ['nginx', 'registry/config'], // it reads leases as the registry does
};

/** When the files of a part last changed: `git pull` writes those alone that differ. */
export async function filesChanged({ root }: Pick<Paths, 'root'>, part: Part): Promise<Date | undefined> {
  const times = await Promise.all((FILES[part] ?? []).map((place) => newestIn(join(root, place))));
  const newest = Math.max(0, ...times);
  return newest === 0 ? undefined : new Date(newest);
}

async function newestIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  // Not when they were written, which a copy may keep, but when they came to be here.
  const times = files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).ctimeMs);
  return Math.max(0, ...(await Promise.all(times)));
}
