import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Paths } from '../../paths.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, together, warning } from '../finding.ts';
import type { Present, StackFacts, Wanted } from './facts.ts';

/** What a part reads when it starts, and never again. */
const READ_AT_START: Readonly<Record<string, readonly string[]>> = {
  nginx: ['nginx/nginx.conf', 'nginx/templates', 'nginx/user.d', 'nginx/entrypoint.d'],
  registry: ['registry/config'],
};

export interface Touched {
  /** Below the checkout. */
  readonly file: string;
  readonly changed: Date;
}

export const differencesCheck: Check<Context> = {
  name: 'differences',
  group: 'Stack',
  within: SOON,
  run: async ({ stack, paths }) => {
    const facts = await stack();
    if ('problem' in facts.wanted)
      return broken(`Compose can't say what it would start: ${facts.wanted.problem}`, 'npm run init-tls');
    if (facts.containers.length === 0) return skipped('nothing runs');
    const touched = await Promise.all(
      Object.entries(READ_AT_START).map(async ([part, files]) => [part, await newest(paths, files)] as const),
    );
    return judgeDifferences(facts.wanted, facts.containers, new Map(touched));
  },
};

/** What `docker compose up` would change. The values of settings are not told: some are secrets. */
export function judgeDifferences(
  wanted: Exclude<StackFacts['wanted'], { problem: string }>,
  containers: readonly Present[],
  touched: ReadonlyMap<string, Touched | undefined> = new Map(),
): Finding {
  const findings = containers.flatMap((container): Finding[] => {
    const { part, condition } = container;
    const now = wanted.get(part);
    if (now === undefined)
      return [warning(`${part} runs, and the settings want it no more`, 'npm run init-tls')];
    const differs = difference(now, container);
    if (differs !== undefined)
      return [warning(`${part} runs with other settings: ${differs}`, 'npm run init-tls')];
    const file = touched.get(part);
    if (condition.status === 'running' && file !== undefined && file.changed > condition.startedAt)
      return [
        warning(`${file.file} has changed since ${part} was started`, `docker compose restart ${part}`),
      ];
    return [fine('')];
  });
  const worst = together(findings, fine(''));
  return worst.verdict === 'fine' ? fine('what runs is what the settings say') : worst;
}

/** In half a line; `undefined`: none. */
function difference(
  { image, imageId, hash, environment }: Wanted,
  { condition }: Present,
): string | undefined {
  const runs = new Map(
    condition.environment.map((line) => [
      line.slice(0, line.indexOf('=')),
      line.slice(line.indexOf('=') + 1),
    ]),
  );
  const names = Object.entries(environment)
    .filter(([name, value]) => value !== null && runs.get(name) !== value)
    .map(([name]) => name);
  const reasons = [
    ...(image !== condition.image.reference
      ? [`image ${image} instead of ${condition.image.reference}`]
      : []),
    ...(image === condition.image.reference && imageId !== undefined && imageId !== condition.image.id
      ? [`${image} is another image by now`]
      : []),
    ...names,
  ];
  if (reasons.length > 0) return reasons.join(', ');
  if (hash !== '' && hash !== condition.labels['com.docker.compose.config-hash'])
    return 'ports, mounts or limits';
  return undefined;
}

async function newest({ root }: Paths, places: readonly string[]): Promise<Touched | undefined> {
  const files = (await Promise.all(places.map((place) => below(root, place)))).flat();
  const dated = await Promise.all(
    files.map(async (file) => ({ file, changed: (await stat(join(root, file))).mtime })),
  );
  return dated.sort((one, other) => other.changed.getTime() - one.changed.getTime())[0];
}

async function below(root: string, place: string): Promise<string[]> {
  const facts = await stat(join(root, place)).catch(() => undefined);
  if (facts === undefined) return [];
  if (facts.isFile()) return [place];
  const names = await readdir(join(root, place), { withFileTypes: true });
  return names
    .filter((each) => each.isFile() && !each.name.endsWith('.example'))
    .map(({ name }) => join(place, name));
}
