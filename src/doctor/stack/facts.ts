import { z } from 'zod';
import type { Condition, Engine } from '../../engine/engine.ts';
import type { Paths } from '../../paths.ts';
import type { Settings } from '../../settings/settings.ts';
import { lastLines, type Run } from '../../system/processes.ts';

/** What Compose would start now, and what is there. */
export interface StackFacts {
  /** By part, without those that the settings leave off; or why Compose can't say. */
  readonly wanted: ReadonlyMap<string, Wanted> | { readonly problem: string };
  readonly containers: readonly Present[];
}

/** A part as Compose would start it. */
export interface Wanted {
  readonly image: string;
  /** The id of that image, where the engine has it. */
  readonly imageId: string | undefined;
  /** Compose's digest of everything else that is said about it. */
  readonly hash: string;
  readonly environment: Readonly<Record<string, string | null>>;
}

export interface Present {
  readonly part: string;
  readonly id: string;
  readonly condition: Condition;
}

const shape = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string().default(''),
      scale: z.number().optional(),
      deploy: z.object({ replicas: z.number().optional() }).nullish(),
      environment: z.record(z.string(), z.string().nullable()).nullish(),
    }),
  ),
});

export async function gatherStack(
  { engine, run, paths }: { engine: Engine; run: Run; paths: Paths },
  { project }: Settings,
): Promise<StackFacts> {
  const [wanted, containers] = await Promise.all([wantedParts(engine, run, paths), present(engine, project)]);
  return { wanted, containers };
}

async function wantedParts(engine: Engine, run: Run, { root }: Paths): Promise<StackFacts['wanted']> {
  const compose = (...args: string[]) =>
    run('docker', ['compose', '--project-directory', root, 'config', ...args], { cwd: root });
  const [listed, hashed] = await Promise.all([compose('--format', 'json'), compose('--hash', '*')]);
  const failed = [listed, hashed].find(({ exitCode }) => exitCode !== 0);
  if (failed !== undefined) return { problem: lastLines(failed.stderr) };
  const { services } = shape.parse(JSON.parse(listed.stdout));
  const hashes = new Map(
    hashed.stdout
      .split('\n')
      .map((line) => line.trim().split(/\s+/, 2))
      .map(pair),
  );
  const on = Object.entries(services).filter(([, each]) => (each.scale ?? each.deploy?.replicas ?? 1) > 0);
  const parts = on.map(async ([part, { image, environment }]): Promise<[string, Wanted]> => {
    const found = await engine.images.inspect(image);
    return [
      part,
      { image, imageId: found?.id, hash: hashes.get(part) ?? '', environment: environment ?? {} },
    ];
  });
  return new Map(await Promise.all(parts));
}

async function present(engine: Engine, project: string): Promise<Present[]> {
  const containers = await engine.containers.ofProject(project);
  const found = containers.map(async ({ id }) => {
    const condition = await engine.containers.condition(id);
    const part = condition?.labels['com.docker.compose.service'];
    const once = condition?.labels['com.docker.compose.oneoff'] === 'True';
    return condition === undefined || part === undefined || once ? [] : [{ part, id, condition }];
  });
  return (await Promise.all(found)).flat();
}

function pair([name = '', hash = '']: string[]): [string, string] {
  return [name, hash];
}
