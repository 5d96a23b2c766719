import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { type Done, unchanged } from '../step.ts';

/**
 * Makes sure that no other checkout has a stack of this name: Compose would take its containers for ours.
 * @throws Failure `project-taken`, naming the folder of the other one
 */
export async function ensureProjectOurs(engine: Engine, { root }: Paths, project: string): Promise<Done> {
  const containers = await engine.containers.ofProject(project);
  const foreign = containers.find(({ workingDirectory }) => workingDirectory !== root);
  if (foreign === undefined) return unchanged(project);
  throw new Failure(
    'project-taken',
    `There is a stack called ${project} already, of ${foreign.workingDirectory}.`,
    'Give this one another name by COMPOSE_PROJECT_NAME in .env, or run `docker compose down` there first.',
  );
}
