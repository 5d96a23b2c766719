import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Run } from '../system/processes.ts';

/** The engine and the checkout that a stack belongs to. */
export interface Place {
  readonly engine: Engine;
  readonly run: Run;
  readonly paths: Paths;
}

export type Part = 'redis' | 'registry' | 'gate' | 'nginx' | 'mirror' | 'relay' | 'renewer';

/** What serves images, in the order it is started. */
export function servingParts({ cache }: Pick<Settings, 'cache'>): readonly Part[] {
  const redis = cache.kind === 'stack' ? (['redis'] as const) : [];
  return [...redis, 'registry', 'gate', 'nginx', 'mirror', 'relay'];
}

/**
 * Starts parts of the stack, and starts anew those whose settings or images changed. What already runs as wanted is
 * left alone: connections in it go on.
 * @throws Failure `stack-failed`, with what Compose said
 */
export async function startParts(
  { engine, run, paths }: Place,
  { project }: Pick<Settings, 'project'>,
  parts: readonly Part[],
  report: Report,
): Promise<Done> {
  const before = await running(engine, project, parts);
  const args = ['compose', '--project-directory', paths.root, '--ansi', 'never', '--progress', 'plain'];
  // Without REDIS_URL=stack there is no such part, so Compose would leave its container as it is.
  const redis = await engine.containers.ofService(project, 'redis');
  const orphans = redis.length > 0 && !parts.includes('redis') ? ['--remove-orphans'] : [];
  const up = ['up', '--detach', '--no-build', '--pull', 'never', ...orphans, ...parts];
  const result = await run('docker', [...args, ...up], {
    cwd: paths.root,
    onLine: (line) => report(line.trim()),
  });
  if (result.exitCode !== 0) {
    throw new Failure(
      'stack-failed',
      `docker compose up failed:\n${lastLines(result.stderr || result.stdout)}`,
      'Mend what it says, then run this again.',
    );
  }
  const after = await running(engine, project, parts);
  const names = [...new Set(after.values())]; // a part that the settings leave out runs no more
  const same = after.size === before.size && [...after.keys()].every((id) => before.has(id));
  const named = new Intl.ListFormat('en-GB').format(names);
  return same ? unchanged(`${named} ${names.length === 1 ? 'runs' : 'run'}`) : changed(`${named} started`);
}

/** The last lines of a part's log, for an error message. */
export async function recentLog({ run, paths }: { run: Run; paths: Paths }, part: string): Promise<string> {
  const args = ['compose', '--project-directory', paths.root, '--ansi', 'never', 'logs', '--no-log-prefix'];
  const { stdout } = await run('docker', [...args, '--tail', '8', part], { cwd: paths.root });
  return stdout.trim();
}

/** The parts that run, by the ids of their containers. */
async function running(engine: Engine, project: string, parts: readonly Part[]): Promise<Map<string, Part>> {
  const found = await Promise.all(
    parts.map(async (part) => {
      const containers = await engine.containers.ofService(project, part);
      return containers.filter((each) => each.running).map(({ id }) => [id, part] as const);
    }),
  );
  return new Map(found.flat());
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-6).join('\n');
}
