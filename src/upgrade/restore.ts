import { join } from 'node:path';
import { parse } from 'dotenv';
import type { Engine } from '../engine/engine.ts';
import type { Paths } from '../paths.ts';
import { writeOwn } from '../settings/env-file.ts';
import { recordFindings } from '../settings/generated.ts';
import { loadSettings } from '../settings/load.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Settings } from '../settings/settings.ts';
import { readIfExists } from '../system/files.ts';
import { IMAGE_SETTING } from './parts.ts';
import { type Snapshot, snapshotsFolder } from './snapshot.ts';

interface Tools {
  readonly engine: Engine;
  readonly paths: Paths;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly owner: string;
}

export interface Restored {
  readonly settings: Settings;
  /** The person's own lines in `.env` that had to be changed for it, by name. */
  readonly lines: readonly string[];
}

/** What starts the name of an image that was built here; `.env` has those in its generated block. */
const BUILT_HERE = 'moorage/';

/**
 * Makes the names of images lead again to what they led to, and `.env` name those that ran. All else in `.env` stays: a
 * person may have changed it since. Done twice it is as if done once.
 */
export async function restoreImages(tools: Tools, snapshot: Snapshot): Promise<Restored> {
  const { images, others } = snapshot;
  await restoreNames(tools.engine, [...others, ...Object.values(images)]); // what ran has the last word
  const { paths, environment } = tools;
  const backup = parse((await readIfExists(join(snapshotsFolder(paths), snapshot.name, 'env'))) ?? '');
  const lines = await writeOwn(paths.envFile, ownLines(snapshot, backup));
  const settings = await loadSettings(paths, environment);
  const ran = (role: string) => snapshot.images[role]?.reference;
  await recordFindings(tools, settings, {
    ...defined('registry', ran('registry')),
    ...defined('nginx', ran('nginx')),
    ...defined('redis', ran('redis') ?? backup.BUILT_REDIS_IMAGE),
    ...defined('node', backup.BUILT_NODE_IMAGE),
    ...defined('certbot', backup.BUILT_CERTBOT_IMAGE),
    ...defined('renewer', ran('renewer') ?? backup.RENEWER_IMAGE),
    ...defined('gate', ran('gate')),
    ...defined('relay', ran('relay') ?? backup.RELAY_IMAGE),
    ...defined('exporter', ran('exporter') ?? backup.EXPORTER_IMAGE),
    ...defined('prometheus', ran('prometheus') ?? backup.BUILT_PROMETHEUS_IMAGE),
  });
  return { settings: await loadSettings(paths, environment), lines };
}

/** Makes the names lead to the images that they led to. What an image registry has is not concerned. */
export async function restoreNames(
  engine: Engine,
  named: readonly { readonly reference: string; readonly id: string }[],
): Promise<void> {
  for (const { reference, id } of named) {
    if (reference.includes('@') || reference.startsWith('sha256:')) continue; // such a name leads nowhere else
    if ((await engine.images.inspect(reference))?.id === id) continue;
    if ((await engine.images.inspect(id)) !== undefined) await engine.images.tag(id, reference);
  }
}

/**
 * The person's own lines about images, so that what ran runs again: as they were where they said so; none where it was
 * built here, or is what this version of Moorage wants; else a line that says it.
 */
export function ownLines(
  { images }: Pick<Snapshot, 'images'>,
  backup: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const roles = Object.entries(IMAGE_SETTING) as [ImageRole, string][];
  return Object.fromEntries(
    roles.map(([role, setting]) => {
      const before = backup[setting] || undefined;
      const ran = images[role]?.reference;
      if (ran === undefined || ran === before) return [setting, before];
      return [setting, ran.startsWith(BUILT_HERE) || ran === PINNED[role] ? undefined : ran];
    }),
  );
}

function defined<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  if (value === undefined) return {};
  const entry: Partial<Record<K, string>> = {};
  entry[name] = value;
  return entry;
}
