import type { Settings } from '../settings/settings.ts';
import type { Done, Report } from '../step.ts';
import { type Part, type Place, startParts } from './compose.ts';
import { removeMonitoring } from './monitoring.ts';

type Wanted = Pick<Settings, 'project' | 'cache' | 'storage' | 'mirror' | 'monitoring'>;

/**
 * Starts what serves images, and takes away what the settings want no more: Compose does not look at it again, not even
 * to take the stack down.
 * @throws Failure `stack-failed`, with what Compose said
 */
export async function startServing(place: Place, settings: Wanted, report: Report): Promise<Done> {
  const { containers, leftovers } = place.engine;
  const { project, cache } = settings;
  const ownRedis = cache.kind === 'stack';
  const parts: readonly Part[] = ['registry', 'gate', 'nginx', 'mirror', 'relay'];
  const orphaned = !ownRedis && (await containers.ofService(project, 'redis')).length > 0;
  const done = orphaned
    ? await startParts(place, settings, parts, report, ['--remove-orphans'])
    : await startParts(place, settings, ownRedis ? ['redis', ...parts] : parts, report);
  if (settings.monitoring === undefined) await removeMonitoring(place, project);
  await leftovers.remove(project, unused(settings));
  return done;
}

/** Compose's names of networks and volumes that no part has with these settings: compose/cache, storage and mirror. */
function unused({ cache, storage, mirror, monitoring }: Wanted): readonly string[] {
  return [
    ...(cache.kind === 'stack' ? [] : ['cache']),
    ...(cache.kind === 'server' || storage.kind === 's3' ? [] : ['outside']),
    ...(mirror === undefined ? ['mirror', 'upstream', 'mirror-socket'] : []),
    ...(monitoring === undefined ? ['monitoring'] : []), // what Prometheus has seen stays
  ];
}
