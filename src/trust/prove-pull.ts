import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, unreachable } from '../errors.ts';
import type { EngineInfo } from '../host/engine-info.ts';
import { type Done, unchanged } from '../step.ts';
import { eventually } from '../system/clock.ts';
import { lastLines, saidBy } from '../system/processes.ts';
import type { TrustMachine } from './machine.ts';

/** What an engine's answer to a pull says about its trust. */
export type Judgement = 'trusted' | 'distrusted' | 'unclear';

/**
 * Has the engine of this machine ask the registry for an image that there is not, without a login. That it is refused by
 * the registry shows that the engine trusts its certificate: before that it asks for nothing.
 * @param engine the reason where there is none
 * @throws Failure `trust-refused`, `pull-failed`
 */
export async function provePull(
  { run, clock }: Pick<TrustMachine, 'run' | 'clock'>,
  authority: string,
  engine: EngineInfo | string,
  { patience }: { readonly patience: number } = { patience: 0 },
): Promise<Done> {
  if (typeof engine === 'string') return unchanged(`not proved, as no engine answers here: ${engine}`);
  if (engine.insecure.includes(authority))
    return unchanged(`not proved: Docker looks at no certificate of ${authority} (insecure-registries)`);
  const reference = `${authority}/moorage/trust-${randomBytes(4).toString('hex')}:check`;
  const config = await mkdtemp(join(tmpdir(), 'moorage-docker-')); // nobody's login
  try {
    let said = '';
    const pull = async () => {
      const { exitCode, stdout, stderr } = await run('docker', ['--config', config, 'pull', reference]);
      said = lastLines(saidBy({ stderr, stdout }));
      const judgement = exitCode === 0 ? 'trusted' : judgePull(said);
      return isUnknownName(said) ? undefined : judgement;
    };
    const judgement = await eventually(clock, { within: patience, every: 1_000 }, pull);
    return conclude(judgement ?? 'unclear', authority, said);
  } finally {
    await rm(config, { recursive: true, force: true });
  }
}

/** Go reads /etc/hosts again after five seconds (cacheMaxAge of net/hosts.go): what was put there may not count yet. */
export const HOSTS_COUNT_WITHIN = 8_000;

/** By the answer of an engine, or of Docker's client. */
export function isUnknownName(said: string): boolean {
  return /\blookup \S+/.test(said);
}

/** By the last line that `docker pull` prints. */
export function judgePull(said: string): Judgement {
  if (/x509|certificate|tls: /i.test(said)) return 'distrusted';
  const answered =
    /unauthorized|authentication required|access denied|no basic auth|manifest unknown|not found: |: not found|does not exist/i;
  return answered.test(said) ? 'trusted' : 'unclear';
}

function conclude(judgement: Judgement, authority: string, said: string): Done {
  switch (judgement) {
    case 'trusted':
      return unchanged(
        `docker pull ${authority}/… is answered by the registry (${short(said)}): Docker trusts it`,
      );
    case 'distrusted':
      throw new Failure(
        'trust-refused',
        `Docker on this machine still does not trust ${authority}: ${said}`,
        'See whether the CA is that of this registry (npm run trust -- --print on its machine), and whether its certificate has this name.',
      );
    case 'unclear':
      throw new Failure(
        'pull-failed',
        `The CA is in its place, but Docker on this machine does not reach ${authority}: ${said}`,
        'If no DNS knows the name here, add --hosts ADDRESS; if a proxy is in between, add the name to its NO_PROXY (docs/proxy.md).',
      );
    default:
      return unreachable(judgement);
  }
}

function short(said: string): string {
  return /unauthorized|authentication required|no basic auth/i.test(said) ? 'unauthorized' : 'not found';
}
