import { Failure } from '../errors.ts';
import type { Report } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { type Run, saidBy } from '../system/processes.ts';

/** systemd waits for the engine itself; then it has its containers to start. */
const BACK = { within: 90_000, every: 500 };

/**
 * Restarts the engine of docker.service and waits until the containers that were running are back.
 * @returns the names of those that nobody starts again, as they have no restart policy
 * @throws Failure `systemd-failed`, `containers-not-back`
 */
export async function restartEngine(
  { run, clock }: { run: Run; clock: Clock },
  report: Report,
): Promise<readonly string[]> {
  const before = (await containers(run)).filter(({ running }) => running);
  report('restarting Docker Engine');
  await run('systemctl', ['reset-failed', 'docker.service']); // its own limit is three starts a minute
  await systemctl(run, 'restart', 'docker.service');
  report('waiting for the containers');
  const expected = before.filter(({ policy }) => policy !== 'no' && policy !== '').map(({ name }) => name);
  let away: readonly string[] = expected;
  const back = await eventually(clock, BACK, async () => {
    const now = (await containers(run)).filter(({ running }) => running).map(({ name }) => name);
    away = expected.filter((name) => !now.includes(name));
    return away.length === 0 ? now : undefined;
  });
  if (back !== undefined) return before.map(({ name }) => name).filter((name) => !back.includes(name));
  throw new Failure(
    'containers-not-back',
    `Docker was restarted, and not all containers are running again: ${away.join(', ')}.`,
    'Look into their logs (docker logs NAME); for this registry run npm run init-tls.',
  );
}

/** @throws Failure `systemd-failed` */
export async function systemctl(run: Run, ...args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await run('systemctl', args);
  if (exitCode === 0) return;
  throw new Failure(
    'systemd-failed',
    `systemctl ${args.join(' ')} failed: ${saidBy({ stderr, stdout })}`,
    'Fix what it reports (journalctl --unit docker), then run this again.',
  );
}

interface Container {
  readonly name: string;
  readonly policy: string;
  readonly running: boolean;
}

async function containers(run: Run): Promise<readonly Container[]> {
  const ids = (await run('docker', ['ps', '--all', '--quiet', '--no-trunc'])).stdout
    .split(/\s+/)
    .filter(Boolean);
  if (ids.length === 0) return [];
  const format = '{{.Name}} {{.HostConfig.RestartPolicy.Name}} {{.State.Running}}';
  const { stdout } = await run('docker', ['inspect', '--type', 'container', '--format', format, ...ids]);
  return stdout.split('\n').flatMap((line) => {
    const [name = '', policy = '', running] = line.trim().split(' ');
    return name === '' ? [] : [{ name: name.replace(/^\//, ''), policy, running: running === 'true' }];
  });
}
