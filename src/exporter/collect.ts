import { Gauge, Registry } from 'prom-client';
import type { Shown } from '../certificates/handshake.ts';
import type { Clock } from '../system/clock.ts';
import { merge } from './exposition.ts';
import { type Folders, type PartReport, readParts } from './parts.ts';

export interface CollectParts {
  readonly folders: Folders;
  /** The parts that are to run. One that has never written is told of as one that did so long ago. */
  readonly running: readonly string[];
  /** A handshake with nginx; `undefined` where there is no TLS. */
  readonly shake: (() => Promise<Shown>) | undefined;
  readonly clock: Clock;
}

/** It writes into the other folder. */
const LOOKS_NOW_AND_THEN = 'renewer';

/** All metrics, in Prometheus’ text format. */
export async function collect({ folders, running, shake, clock }: CollectParts): Promise<string> {
  const [reports, shown] = await Promise.all([
    readParts(folders, running, clock),
    shake?.().catch(() => undefined),
  ]);
  const { text, leftOut } = merge(reports);
  const own = await ownMetrics({ reports, running, leftOut, asked: shake !== undefined, shown });
  return text + own;
}

interface Seen {
  readonly reports: readonly PartReport[];
  readonly running: readonly string[];
  readonly leftOut: ReadonlyMap<string, number>;
  readonly asked: boolean;
  readonly shown: Shown | undefined;
}

async function ownMetrics({ reports, running, leftOut, asked, shown }: Seen): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const time = (name: string, help: string, at: Date | undefined) => {
    const gauge = new Gauge({ name, help, registers });
    if (at === undefined) gauge.remove();
    else gauge.set(at.getTime() / 1000);
  };
  const handshake = new Gauge({
    name: 'moorage_certificate_handshake_success',
    help: 'Whether nginx answered a TLS handshake for DOMAIN.',
    registers,
  });
  if (asked) handshake.set(Number(shown !== undefined));
  else handshake.remove();
  time(
    'moorage_certificate_served_not_before_timestamp_seconds',
    'When the certificate that nginx shows begins to be valid.',
    shown?.notBefore,
  );
  time(
    'moorage_certificate_served_not_after_timestamp_seconds',
    'When the certificate that nginx shows expires.',
    shown?.notAfter,
  );
  const written = new Gauge({
    name: 'moorage_part_metrics_timestamp_seconds',
    help: 'When a part last wrote what it has to tell; 0 where it never did.',
    labelNames: ['part'],
    registers,
  });
  for (const part of [...running, LOOKS_NOW_AND_THEN]) written.set({ part }, 0);
  for (const { part, written: at } of reports) written.set({ part }, at.getTime() / 1000);
  const unreadable = new Gauge({
    name: 'moorage_part_metrics_left_out_lines',
    help: 'Lines of what a part wrote that could not be read, or contradict others.',
    labelNames: ['part'],
    registers,
  });
  for (const [part, lines] of leftOut) unreadable.set({ part }, lines);
  return registry.metrics();
}
