import { span } from '../../certificates/words.ts';
import { counted } from '../../counted.ts';
import type { Condition } from '../../engine/engine.ts';
import { registrySilence } from '../../stack/answer.ts';
import { type Part, recentLog } from '../../stack/compose.ts';
import { startServing } from '../../stack/serving.ts';
import { expectImagesNamed } from '../../storage/last-place.ts';
import { eventually } from '../../system/clock.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, together, warning } from '../finding.ts';

const ALL: readonly Part[] = ['redis', 'registry', 'gate', 'nginx', 'mirror', 'relay', 'renewer'];
/** The renewer has a check of its own. */
const SERVING = ALL.filter((part) => part !== 'renewer');
/** As often as the engine starts something again by itself before it is no accident. */
const OFTEN = 3;
/** A part that runs for so long has got over it. */
const SETTLED = 10 * 60_000;
/** Its health is looked at every ten seconds, at the renewer's every thirty. */
const STARTING = 60_000;
const UP_WITHIN = 60_000;

export interface PartFacts {
  readonly part: string;
  /** `undefined`: there is no container. */
  readonly condition:
    | Pick<Condition, 'status' | 'health' | 'exitCode' | 'outOfMemory' | 'restarts' | 'startedAt'>
    | undefined;
  /** The last lines of its log, where it is not well. */
  readonly log: string;
}

export const partsCheck: Check<Context> = {
  name: 'parts',
  group: 'Stack',
  within: SOON,
  run: async (context) => {
    const now = context.clock.now();
    const facts = await gather(context);
    const start = () => startAll(context);
    const running = facts.map(({ part }) => part).join(', ');
    const findings = facts.map((each) => judgePart(each, now, start));
    if (findings.every(({ verdict }) => verdict === 'fine')) return fine(`${running} run`);
    // One start is enough for all of them.
    const all = together(findings, fine(''));
    return all.fix?.safe === undefined ? all : { ...all, fix: { say: all.fix.say, safe: start } };
  },
};

export function judgePart(
  { part, condition, log }: PartFacts,
  now: Date,
  start?: () => Promise<string>,
): Finding {
  const said = log === '' ? '' : `; its log ends with:\n${log}`;
  if (condition === undefined) return broken(`${part} is not there`, 'docker compose up -d', start);
  const { status, health, exitCode, outOfMemory, restarts, startedAt } = condition;
  const restless = restarts >= OFTEN && now.getTime() - startedAt.getTime() < SETTLED;
  const memory = outOfMemory ? ', for want of memory' : '';
  if (status === 'restarting' || (restless && status === 'running'))
    return broken(
      `${part} ends again and again (${counted(restarts, 'restart')}, exit code ${exitCode}${memory})${said}`,
      `Fix what it reports: docker compose logs ${part}`,
    );
  if (status !== 'running')
    return broken(
      `${part} ${status === 'exited' ? 'has ended' : `is ${status}`} (exit code ${exitCode}${memory})${said}`,
      'docker compose up -d',
      start,
    );
  if (health === 'unhealthy')
    return broken(`${part} runs and is unhealthy${said}`, `docker compose logs ${part}`);
  const age = now.getTime() - startedAt.getTime();
  if (health === 'starting' && age > STARTING)
    return warning(`${part} has been starting for ${span(age)}${said}`);
  return fine(part);
}

async function gather(context: Context): Promise<PartFacts[]> {
  const { wanted, containers } = await context.stack();
  const { settings } = context;
  const expected = 'problem' in wanted ? usual(settings.auth.by) : [...wanted.keys()];
  const serving = SERVING.filter((part) => expected.includes(part));
  return Promise.all(
    serving.map(async (part) => {
      const condition = containers.find((each) => each.part === part)?.condition;
      const well =
        condition?.status === 'running' && condition.health !== 'unhealthy' && condition.restarts < OFTEN;
      return { part, condition, log: condition === undefined || well ? '' : await recentLog(context, part) };
    }),
  );
}

/** What every stack has. */
function usual(auth: 'gate' | 'registry'): readonly string[] {
  return auth === 'gate' ? ['registry', 'gate', 'nginx'] : ['registry', 'nginx'];
}

/** As init-tls starts them on the folder that the images are in, then waits for their answer: what is looked at next is to find them up. */
async function startAll(context: Context): Promise<string> {
  const { settings, clock, paths } = context;
  await expectImagesNamed(paths, settings);
  const { summary } = await startServing(context, settings, () => undefined);
  await eventually(clock, { within: UP_WITHIN, every: 200 }, async () =>
    (await registrySilence(settings)) === undefined ? true : undefined,
  );
  return summary;
}
