import { connect } from '../engine/connect.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Run } from '../system/processes.ts';

/**
 * Stops what runs of a stack, if there is one, before its files change under it.
 * @throws Failure `stack-failed`
 */
export async function stopStack(
  { run, paths, dockerHost }: { run: Run; paths: Paths; dockerHost: string | undefined },
  { project }: Pick<Settings, 'project'>,
  report: Report,
): Promise<Done> {
  const containers = await connect(dockerHost)
    .containers.ofProject(project)
    .catch(() => []); // no engine: nothing runs
  const ours = containers.filter(
    ({ running, workingDirectory }) => running && workingDirectory === paths.root,
  );
  if (ours.length === 0) return unchanged('nothing runs');
  const result = await run('docker', ['stop', ...ours.map(({ id }) => id)], {
    onLine: (line) => report(line),
  });
  if (result.exitCode === 0) return changed(`${ours.length} containers stopped`);
  throw new Failure(
    'stack-failed',
    `docker stop failed:\n${result.stderr}`,
    'Mend what it says, then run this again.',
  );
}
