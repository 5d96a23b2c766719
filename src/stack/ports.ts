import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import { listenerOn } from '../system/listeners.ts';

/** Where Prometheus is published (compose/monitoring.yaml). */
const LOOPBACK = '127.0.0.1';

/**
 * Makes sure that nobody else has the ports. What this project's own nginx publishes is fine.
 * @throws Failure `port-taken`, naming the container or program that has it
 */
export async function ensurePortsFree(engine: Engine, settings: Settings): Promise<Done> {
  const wanted = wantedPorts(settings);
  for (const { setting, port, address } of wanted) {
    const container = await engine.containers.publishing(port, address);
    if (container?.project === settings.project) continue;
    const holder =
      container === undefined ? await listenerOn(port, address) : `the container ${container.name}`;
    if (holder === undefined) continue;
    throw new Failure(
      'port-taken',
      `Port ${port} is taken by ${holder}.`,
      `Stop it, or set ${setting} in .env to a free port, then run this again.`,
    );
  }
  const all = new Intl.ListFormat('en-GB').format(wanted.map(({ port }) => String(port)));
  return unchanged(`${all}: free or ours`);
}

interface WantedPort {
  readonly setting: string;
  readonly port: number;
  readonly address: string | undefined;
}

function wantedPorts({
  httpPort,
  httpsPort,
  issuer,
  mirror,
  monitoring,
  bindAddress,
}: Settings): WantedPort[] {
  const port = (setting: string, port: number, address = bindAddress) => ({ setting, port, address });
  return [
    port('HTTP_PORT', httpPort),
    ...(issuer === 'none' ? [] : [port('HTTPS_PORT', httpsPort)]),
    ...(mirror === undefined || mirror.domain !== undefined ? [] : [port('MIRROR_PORT', mirror.port)]),
    ...(monitoring === undefined ? [] : [port('PROMETHEUS_PORT', monitoring.port, LOOPBACK)]),
  ];
}
