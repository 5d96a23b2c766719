import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import type { Done, Report } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { type Place, recentLog, startParts } from './compose.ts';

const PARTS = ['exporter', 'prometheus'] as const;
/** It reads the log of what it saw last, which may be of days. */
const READY_WITHIN = 120_000;
const ANSWER_WITHIN = 2_000;

type Monitored = Pick<Settings, 'project'> & { readonly monitoring: { readonly port: number } };

/**
 * Starts the exporter and Prometheus, and waits until that has reached the exporter. Rules and configuration may have
 * changed, and a Prometheus that was running already reads them anew.
 * @throws Failure `monitoring-broken`, with the last lines of the logs
 */
export async function startMonitoring(
  place: Place,
  { project, monitoring }: Monitored,
  clock: Clock,
  report: Report,
): Promise<Done> {
  const done = await startParts(place, { project }, PARTS, report);
  if (!done.changed) await reread(place, project);
  const url = `http://127.0.0.1:${monitoring.port}`;
  report('its first look at the registry');
  const sees = await eventually(clock, { within: READY_WITHIN, every: 500 }, () => seesExporter(url));
  if (sees === true) return { ...done, summary: `Prometheus at ${url}; ${done.summary}` };
  const logs = await Promise.all(PARTS.map(async (part) => `${part}: ${await recentLog(place, part)}`));
  throw new Failure(
    'monitoring-broken',
    `Prometheus does not see the registry within 120 s. The logs end with:\n${logs.join('\n')}`,
    'Fix what they report (monitoring/ has the configuration and the rules), then run this again.',
  );
}

/** Takes both away. What Prometheus has seen stays in its volume. Compose leaves alone what no profile names. */
export async function removeMonitoring({ engine, run, paths }: Place, project: string): Promise<void> {
  const present = await Promise.all(PARTS.map((part) => engine.containers.ofService(project, part)));
  if (present.flat().length === 0) return;
  const args = ['compose', '--project-directory', paths.root, '--ansi', 'never', '--profile', 'monitoring'];
  const { exitCode, stderr } = await run('docker', [...args, 'rm', '--stop', '--force', ...PARTS], {
    cwd: paths.root,
  });
  if (exitCode === 0) return;
  throw new Failure(
    'stack-failed',
    `docker compose rm failed:\n${stderr.trim()}`,
    'Fix what it reports, then run this again.',
  );
}

/** With a file that it can't read it goes on as before, and says so in its log. */
async function reread({ engine }: Place, project: string): Promise<void> {
  const [prometheus] = await engine.containers.ofService(project, 'prometheus');
  if (prometheus !== undefined) await engine.containers.exec(prometheus.id, ['sh', '-c', 'kill -HUP 1']);
}

async function seesExporter(url: string): Promise<true | undefined> {
  try {
    const query = new URL('/api/v1/query?query=up{job="moorage"}', url);
    const answer = await fetch(query, { signal: AbortSignal.timeout(ANSWER_WITHIN) });
    return isUp(await answer.json()) ? true : undefined;
  } catch {
    return undefined;
  }
}

function isUp(answer: unknown): boolean {
  return /"value":\[[\d.]+,"1"\]/.test(JSON.stringify(answer));
}
