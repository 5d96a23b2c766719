import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Run } from '../system/processes.ts';

export const PARTS = ['registry', 'nginx', 'renewer'] as const;

/**
 * Starts the parts of the stack, and starts anew those whose settings or images changed. What already runs as wanted
 * is left alone: connections in it go on.
 * @throws Failure `stack-failed`, with what Compose said
 */
export async function startStack(
  { engine, run, paths }: { engine: Engine; run: Run; paths: Paths },
  { project }: Pick<Settings, 'project'>,
  report: Report,
): Promise<Done> {
  const before = await runningIds(engine, project);
  const args = ['compose', '--project-directory', paths.root, '--ansi', 'never', '--progress', 'plain'];
  const result = await run('docker', [...args, 'up', '--detach', '--no-build', '--pull', 'never'], {
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
  const after = await runningIds(engine, project);
  const started = [...after].filter((id) => !before.has(id));
  const summary = `${after.size} parts run`;
  return started.length === 0 ? unchanged(summary) : changed(`${summary}, ${started.length} started now`);
}

/** The last lines of a part's log, for an error message. */
export async function recentLog({ run, paths }: { run: Run; paths: Paths }, part: string): Promise<string> {
  const args = ['compose', '--project-directory', paths.root, '--ansi', 'never', 'logs', '--no-log-prefix'];
  const { stdout } = await run('docker', [...args, '--tail', '8', part], { cwd: paths.root });
  return stdout.trim();
}

async function runningIds(engine: Engine, project: string): Promise<Set<string>> {
  const parts = await Promise.all(PARTS.map((part) => engine.containers.ofService(project, part)));
  return new Set(
    parts
      .flat()
      .filter(({ running }) => running)
      .map(({ id }) => id),
  );
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-6).join('\n');
}
