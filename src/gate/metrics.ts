import { Counter, Gauge, Registry } from 'prom-client';
import type { Audit, AuditEvent } from './audit.ts';
import type { Judgement } from './judge.ts';
import type { Action } from './route.ts';
import type { SpaceState } from './space.ts';
import type { Throttled } from './throttle.ts';

/** How things stand at the moment. */
export interface GateState {
  readonly throttled: Throttled;
  /** `undefined` where nothing is to stay free, or the disk can't be looked at. */
  readonly space: SpaceState | undefined;
  readonly rulesInForce: boolean;
}

type Verdict = 'allowed' | (Judgement & { readonly kind: 'refused' })['refusal']['kind'];

const VERDICTS = {
  allowed: 0,
  unauthorized: 0,
  'wrong-login': 0,
  denied: 0,
  immutable: 0,
  throttled: 0,
  unavailable: 0,
  malformed: 0,
  'too-large': 0,
  'disk-full': 0,
  'bad-page': 0,
} as const satisfies Record<Verdict, 0>;

/** One object for each, so that to count a request makes none. */
const noneYet = (): Record<Action, Record<Verdict, number>> => ({
  none: { ...VERDICTS },
  catalog: { ...VERDICTS },
  pull: { ...VERDICTS },
  push: { ...VERDICTS },
  delete: { ...VERDICTS },
});

const EVENTS = {
  'login-failed': 0,
  throttled: 0,
  denied: 0,
  'disk-full': 0,
  push: 0,
  delete: 0,
} as const satisfies Record<AuditEvent['event'], 0>;

/**
 * What the gate counts, for Prometheus. No label has the name of anybody or anything: there are as many series on the
 * first day as ever. Requests are counted in plain numbers, and become series when somebody wants to see them.
 */
export class GateMetrics {
  readonly #registry = new Registry();
  readonly #judged = noneYet();
  readonly #events: Record<AuditEvent['event'], number> = { ...EVENTS };
  #manifests = 0;
  #blobs = 0;
  #passes = 0;
  #cut = 0;
  #state: GateState | undefined;

  constructor() {
    const registers = [this.#registry];
    const counter = (name: string, help: string, total: () => number) =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(total());
        },
      });
    const gauge = (name: string, help: string, value: () => number | undefined) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          const now = value();
          if (now === undefined) this.remove();
          else this.set(now);
        },
      });
    const judged = this.#judged;
    const events = this.#events;

    new Counter({
      name: 'moorage_gate_requests_total',
      help: 'Requests that the gate has judged, each once, by what they were for and what became of them.',
      labelNames: ['action', 'verdict'],
      registers,
      collect() {
        this.reset();
        for (const [action, verdicts] of Object.entries(judged))
          for (const [verdict, count] of Object.entries(verdicts))
            this.inc({ action, verdict: word(verdict) }, count);
      },
    });
    new Counter({
      name: 'moorage_gate_audit_events_total',
      help: 'What the audit log has lines about, those that it leaves out included.',
      labelNames: ['event'],
      registers,
      collect() {
        this.reset();
        for (const [event, count] of Object.entries(events)) this.inc({ event: word(event) }, count);
      },
    });
    counter(
      'moorage_gate_manifests_served_total',
      'Manifests that the gate sent from the registry’s disk.',
      () => this.#manifests,
    );
    counter(
      'moorage_gate_blobs_handed_out_total',
      'Blobs that nginx was told to send from the registry’s disk.',
      () => this.#blobs,
    );
    counter(
      'moorage_gate_tokens_given_total',
      'Tokens given to clients that want one (GET /v2/token).',
      () => this.#passes,
    );
    counter(
      'moorage_gate_uploads_cut_total',
      'Uploads that were cut because the disk ran short of space.',
      () => this.#cut,
    );
    gauge(
      'moorage_gate_throttled_addresses',
      'Addresses from which a login had to wait within the last minute, after too many that failed.',
      () => this.#state?.throttled.origins,
    );
    gauge(
      'moorage_gate_throttled_users',
      'Names for which a login had to wait within the last minute, after too many that failed.',
      () => this.#state?.throttled.names,
    );
    gauge(
      'moorage_gate_rules_in_force',
      'Whether there are rules of access; without them nobody gets in.',
      () => this.#state && Number(this.#state.rulesInForce),
    );
    gauge(
      'moorage_disk_reserve_bytes',
      'What is to stay free on the disk of the images: with less than this pushes are refused.',
      () => this.#state?.space?.mark,
    );
    gauge(
      'moorage_gate_disk_low',
      'Whether pushes are refused because the disk has too little room.',
      () => this.#state?.space && Number(this.#state.space.low),
    );
  }

  judged(judgement: Judgement): void {
    const verdict = judgement.kind === 'allowed' ? 'allowed' : judgement.refusal.kind;
    this.#judged[judgement.action][verdict] += 1;
  }

  manifestServed(): void {
    this.#manifests += 1;
  }

  blobHandedOut(): void {
    this.#blobs += 1;
  }

  passGiven(): void {
    this.#passes += 1;
  }

  uploadCut(): void {
    this.#cut += 1;
  }

  /** An audit log that is counted. */
  counting(audit: Audit): Audit {
    return {
      write: (event) => {
        this.#events[event.event] += 1;
        audit.write(event);
      },
    };
  }

  /** In Prometheus’ text format. */
  text(state: GateState): Promise<string> {
    this.#state = state;
    return this.#registry.metrics();
  }
}

/** Prometheus’ words have underscores. */
function word(name: string): string {
  return name.replaceAll('-', '_');
}
