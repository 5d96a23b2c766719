import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { AuditLog } from '../gate/audit.ts';
import { Gate } from '../gate/gate.ts';
import { HASH_WORKER, WorkerHasher } from '../gate/hasher.ts';
import { LastUse } from '../gate/last-use.ts';
import { GateMetrics } from '../gate/metrics.ts';
import { highestCost, Rulebook } from '../gate/rulebook.ts';
import { Space } from '../gate/space.ts';
import { Stored } from '../gate/stored.ts';
import { Upstream } from '../gate/upstream.ts';
import { Verifier } from '../gate/verifier.ts';
import { paths } from '../paths.ts';
import { environment } from '../settings/environment.ts';
import { loadSettings } from '../settings/load.ts';
import { servesBlobs } from '../settings/settings.ts';
import { systemClock } from '../system/clock.ts';
import { diskOf } from '../system/disk.ts';
import { STACK_METRICS, writeMetrics } from '../system/metrics-file.ts';
import { sparingly } from '../system/sparingly.ts';
import { lastUsedFile } from '../users/last-used.ts';

/** Where nginx finds the gate, and the gate the registry: volumes that only these parts share. */
const SOCKETS = { gate: '/run/gate/gate.sock', registry: '/run/registry/registry.sock' };
/** The registry's data, to be looked at only. */
const IMAGES = '/var/lib/registry';
/** How often the health check's file is touched, and what was used last and what was counted is written. */
const BEAT = 5_000;
/** As long as nginx waits (nginx/templates/patience.upstreams.template), in ms: more than a registry takes to end and to be back. */
const PATIENCE = 27_000;

export interface OpenGate {
  close(): Promise<void>;
}

/** Puts the real parts of the gate together and opens it. */
export async function openGate(log: (line: string) => void): Promise<OpenGate> {
  const places = paths();
  const clock = systemClock;
  const settings = await loadSettings(places, environment());
  const rules = await Rulebook.open(places, clock, log);
  const hasher = new WorkerHasher({ worker: HASH_WORKER, clock });
  const audit = new AuditLog(places.gate, clock, log);
  const lastUse = await LastUse.open(lastUsedFile(places.gate), clock);
  const upstream = new Upstream(SOCKETS.registry, clock, PATIENCE);
  const verifier = new Verifier({
    hasher,
    clock,
    ttl: settings.auth.ttl * 1000,
    highestCost: () => highestCost(rules.current?.users),
  });
  const stored = servesBlobs(settings) ? new Stored(IMAGES, clock) : undefined;
  const space = new Space({ reserve: settings.diskReserve, look: () => diskOf(IMAGES), clock, tell: log });
  const metrics = new GateMetrics();
  const gate = new Gate({
    rules,
    verifier,
    audit: metrics.counting(audit),
    lastUse,
    clock,
    upstream,
    stored,
    space,
    metrics,
    tell: log,
  });

  const ending = new AbortController();
  const saveUses = () =>
    lastUse
      .save(new Set(rules.current?.tokens.keys()))
      .catch((error) => log(`the times of use can't be written: ${messageOf(error)}`));
  const sparing = sparingly(log);
  const saveMetrics = async () => {
    const rulesInForce = rules.current !== undefined;
    const text = await metrics.text({ throttled: verifier.throttled(), space: space.state, rulesInForce });
    await writeMetrics(STACK_METRICS, 'gate', text);
  };
  const beat = async () => {
    while (!ending.signal.aborted) {
      await writeFile(join(tmpdir(), 'alive'), ''); // the health check of the part looks at its age
      await saveUses();
      await saveMetrics().catch((error) => sparing(`the metrics can't be written: ${messageOf(error)}`));
      await clock.sleep(BEAT, ending.signal).catch(() => undefined);
    }
  };
  const running = Promise.all([rules.keepFresh(ending.signal), space.keepFresh(ending.signal), beat()]);
  await gate.listen(SOCKETS.gate);
  return {
    close: async () => {
      await gate.close();
      ending.abort();
      await running;
      await saveUses();
      await hasher.close();
      await audit.flushed();
      upstream.close();
    },
  };
}
