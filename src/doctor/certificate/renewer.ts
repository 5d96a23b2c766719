import { span } from '../../certificates/words.ts';
import type { Condition } from '../../engine/engine.ts';
import { lastLines } from '../../system/processes.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, warning } from '../finding.ts';

/** The renewer looks every ten minutes (docs); its health check gives it thirty. */
const LATE = 30 * 60_000;
const RESTARTED_WITHIN = 90_000;

export type RenewerFacts =
  /** `tick`: milliseconds since it last looked; `undefined`: it has not yet. */
  | {
      readonly kind: 'container';
      readonly condition: Pick<Condition, 'status' | 'startedAt'>;
      readonly tick: number | undefined;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unit'; readonly name: string; readonly state: string };

export const renewerCheck: Check<Context> = {
  name: 'renewer',
  group: 'Certificate',
  within: SOON,
  run: async (context) => judgeRenewer(await gather(context), context.clock.now(), () => restart(context)),
};

export function judgeRenewer(facts: RenewerFacts, now: Date, restart?: () => Promise<string>): Finding {
  switch (facts.kind) {
    case 'missing':
      return broken('does not run: nobody renews the certificate', 'docker compose up -d renewer', restart);
    case 'unit': {
      const { name, state } = facts;
      if (state === 'active') return fine(`${name} is active`);
      return broken(
        `${name} is ${state || 'unknown to systemd'}`,
        `sudo systemctl restart ${name}; journalctl -u ${name}`,
      );
    }
    case 'container': {
      const { condition, tick } = facts;
      if (condition.status !== 'running')
        return broken(
          `is ${condition.status}: nobody renews the certificate`,
          'docker compose up -d renewer',
          restart,
        );
      const age = tick ?? now.getTime() - condition.startedAt.getTime();
      if (age > LATE)
        return broken(
          `has not looked at the certificate for ${span(age)}`,
          'docker compose restart renewer',
          restart,
        );
      if (tick === undefined) return warning('runs, and has not looked yet', 'docker compose logs renewer');
      return fine(`looked ${span(tick)} ago`);
    }
  }
}

async function gather({ stack, engine, settings, unit, run, clock }: Context): Promise<RenewerFacts> {
  if (!settings.renewerContainer && unit !== undefined) {
    const { stdout } = await run('systemctl', ['is-active', unit]);
    return { kind: 'unit', name: unit, state: stdout.trim() };
  }
  const renewer = (await stack()).containers.find(({ part }) => part === 'renewer');
  if (renewer === undefined) return { kind: 'missing' };
  if (renewer.condition.status !== 'running') return { kind: 'container', ...renewer, tick: undefined };
  const { exitCode, output } = await engine.containers.exec(renewer.id, [
    'stat',
    '-c',
    '%Y',
    '/tmp/last-tick',
  ]);
  const tick = exitCode === 0 ? Math.max(0, clock.now().getTime() - Number(output.trim()) * 1000) : undefined;
  return { kind: 'container', ...renewer, tick };
}

/** One that does not run is started with the other parts. */
async function restart({ run, paths }: Context): Promise<string> {
  const args = [
    'compose',
    '--project-directory',
    paths.root,
    'up',
    '--detach',
    '--no-build',
    '--force-recreate',
  ];
  const place = { cwd: paths.root, timeout: RESTARTED_WITHIN };
  const { exitCode, stderr } = await run('docker', [...args, '--no-deps', 'renewer'], place);
  if (exitCode !== 0) throw new Error(`docker compose up failed: ${lastLines(stderr)}`);
  return 'the renewer was started anew';
}
