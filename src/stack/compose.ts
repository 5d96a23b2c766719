import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { lastLines, type Run, saidBy } from '../system/processes.ts';

/** The engine and the checkout that a stack belongs to. */
export interface Place {
  readonly engine: Engine;
  readonly run: Run;
  readonly paths: Paths;
}

export type Part =
  | 'redis'
  | 'registry'
  | 'gate'
  | 'nginx'
  | 'mirror'
  | 'relay'
  | 'renewer'
  | 'exporter'
  | 'prometheus';

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
  flags: readonly ('--remove-orphans' | '--force-recreate')[] = [],
): Promise<Done> {
  const before = await running(engine, project, parts);
  await up({ run, paths }, ['--detach', ...flags, ...parts], report);
  const after = await running(engine, project, parts);
  const started = partsIn(after, before);
  const stopped = partsIn(before, after).filter((part) => !started.includes(part));
  const runs = partsIn(after).filter((part) => !started.includes(part));
  const said = [
    started.length > 0 ? `${listed(started)} started` : '',
    stopped.length > 0 ? `${listed(stopped)} stopped` : '',
    runs.length > 0 ? `${listed(runs)} ${runs.length === 1 ? 'runs' : 'run'}` : '',
  ].filter(Boolean);
  return started.length + stopped.length > 0 ? changed(said.join(', ')) : unchanged(said.join(', '));
}

/**
 * Makes the containers of parts anew whose settings or images changed, and starts none.
 * @throws Failure `stack-failed`, with what Compose said
 */
export async function makeParts(place: Pick<Place, 'run' | 'paths'>, parts: readonly Part[]): Promise<void> {
  await up(place, ['--no-start', ...parts], () => undefined);
}

async function up(
  { run, paths }: Pick<Place, 'run' | 'paths'>,
  flags: readonly string[],
  report: Report,
): Promise<void> {
  const args = ['compose', '--project-directory', paths.root, '--ansi', 'never', '--progress', 'plain'];
  const result = await run('docker', [...args, 'up', '--no-build', '--pull', 'never', ...flags], {
    cwd: paths.root,
    onLine: (line) => report(line.trim()),
  });
  if (result.exitCode === 0) return;
  throw new Failure(
    'stack-failed',
    `docker compose up failed:\n${lastLines(saidBy(result), 6)}`,
    'Fix what it reports, then run this again.',
  );
}

/** The last lines of a part's log, for an error message. */
export async function recentLog({ run, paths }: { run: Run; paths: Paths }, part: Part): Promise<string> {
  const args = ['compose', '--project-directory', paths.root, '--ansi', 'never', 'logs', '--no-log-prefix'];
  const { stdout } = await run('docker', [...args, '--tail', '8', part], { cwd: paths.root });
  return stdout.trim();
}

/**
 * What Compose would start each part with, as the digest that it labels containers with.
 * @param env over what `.env` says
 */
export async function configHashes(
  { run, paths }: Pick<Place, 'run' | 'paths'>,
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  const args = ['compose', '--project-directory', paths.root, 'config', '--hash', '*'];
  const { stdout } = await run('docker', args, { cwd: paths.root, env });
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(lines.flatMap(([part, hash]) => (part && hash ? [[part, hash] as const] : [])));
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

/** The parts of containers that are not among the others, each once. */
function partsIn(containers: Map<string, Part>, others = new Map<string, Part>()): readonly Part[] {
  return [...new Set([...containers].filter(([id]) => !others.has(id)).map(([, part]) => part))];
}

function listed(parts: readonly Part[]): string {
  return new Intl.ListFormat('en-GB').format(parts);
}
