import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import { listenerOn } from '../system/listeners.ts';

/**
 * Makes sure that nobody else has the ports. What this project's own nginx publishes is fine.
 * @throws Failure `port-taken`, naming the container or program that has it
 */
export async function ensurePortsFree(engine: Engine, settings: Settings): Promise<Done> {
  const wanted = wantedPorts(settings);
  for (const [setting, port] of wanted) {
    const container = await engine.containers.publishing(port, settings.bindAddress);
    if (container?.project === settings.project) continue;
    const holder =
      container === undefined
        ? await listenerOn(port, settings.bindAddress)
        : `the container ${container.name}`;
    if (holder === undefined) continue;
    throw new Failure(
      'port-taken',
      `Port ${port} is taken by ${holder}.`,
      `Stop it, or set ${setting} in .env to a free port, then run this again.`,
    );
  }
  const all = new Intl.ListFormat('en-GB').format(wanted.map(([, port]) => String(port)));
  return unchanged(`${all}: free or ours`);
}

function wantedPorts({ httpPort, httpsPort, issuer, mirror }: Settings): [setting: string, port: number][] {
  return [
    ['HTTP_PORT', httpPort],
    ...(issuer === 'none' ? [] : ([['HTTPS_PORT', httpsPort]] as [string, number][])),
    ...(mirror === undefined || mirror.domain !== undefined
      ? []
      : ([['MIRROR_PORT', mirror.port]] as [string, number][])),
  ];
}
