import { realpath } from 'node:fs/promises';
import { counted } from '../counted.ts';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Run } from '../system/processes.ts';
import { isAlive } from './alive.ts';

/**
 * Makes sure that a folder for images is not that of another stack that runs: it would go on with the wrong ones.
 * @throws Failure `in-use`, naming it
 */
export async function expectNotServed(
  { containers }: Pick<Engine, 'containers'>,
  { root }: Pick<Paths, 'root'>,
  folder: string,
): Promise<Done> {
  const real = await realpath(folder).catch(() => folder);
  const found = await Promise.all(
    [...new Set([folder, real])].map(
      (each) => containers.mounting(each).catch(() => []), // no engine: nothing runs
    ),
  );
  const other = found.flat().find(({ workingDirectory }) => workingDirectory !== root);
  if (other === undefined) return unchanged(`nobody else has ${folder}`);
  throw new Failure(
    'in-use',
    `${folder} is in use by the container ${other.name}${other.workingDirectory === undefined ? '' : ` of ${other.workingDirectory}`}.`,
    'Let the images go to another folder, or stop that one first.',
  );
}

/**
 * Stops what runs of a stack, if there is one, and what is paused, before its files change under it.
 * @throws Failure `stack-failed`
 */
export async function stopStack(
  { run, paths, engine }: { run: Run; paths: Pick<Paths, 'root'>; engine: Pick<Engine, 'containers'> },
  { project }: Pick<Settings, 'project'>,
  report: Report,
): Promise<Done> {
  const containers = await engine.containers.ofProject(project).catch(() => []); // no engine: nothing runs
  const ours = containers.filter((each) => isAlive(each) && each.workingDirectory === paths.root);
  if (ours.length === 0) return unchanged('nothing runs');
  const result = await run('docker', ['stop', ...ours.map(({ id }) => id)], {
    onLine: (line) => report(line),
  });
  if (result.exitCode === 0) return changed(`${counted(ours.length, 'container')} stopped`);
  throw new Failure(
    'stack-failed',
    `docker stop failed:\n${result.stderr}`,
    'Fix what it reports, then run this again.',
  );
}
