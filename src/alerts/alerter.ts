import { z } from 'zod';
import { Failure, messageOf } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import { readIfExists, writeAtomically } from '../system/files.ts';
import { afterTelling, dueAlerts, type Situation, type Told } from './alert.ts';
import type { Channel } from './channel.ts';
import { title } from './words.ts';

const record = z.record(
  z.string(),
  z.object({
    certificate: z
      .object({ fingerprint: z.string(), mark: z.enum(['third', 'sixth', 'last-48h']) })
      .optional(),
    failing: z.boolean(),
    disk: z.enum(['short', 'low']).optional(),
  }),
);

const NOTHING: Told = { failing: false };

interface Parts {
  /** File that remembers over restarts what each channel was told. Its folder exists. */
  readonly path: string;
  readonly channels: readonly Channel[];
  readonly clock: Clock;
}

/**
 * Tells each channel of each thing once. What could not be delivered is tried again at the next look, by that channel
 * alone. The record in memory is what counts; the file brings it over a restart.
 */
export class Alerter {
  readonly #parts: Parts;
  #told: ReadonlyMap<string, Told> | undefined;
  /** What the file is known to hold. */
  #written: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Sends what is due. Never throws: returns lines for a log. */
  async look(situation: Situation): Promise<string[]> {
    const lines: string[] = [];
    const told = this.#told ?? (await this.#read(lines));
    const { channels } = this.#parts;
    this.#told = new Map(
      await Promise.all(
        channels.map(
          async (channel) =>
            [
              channel.id,
              await this.#tell(channel, situation, told.get(channel.id) ?? NOTHING, lines),
            ] as const,
        ),
      ),
    );
    await this.#write(this.#told, lines);
    return lines;
  }

  async #tell(channel: Channel, situation: Situation, before: Told, lines: string[]): Promise<Told> {
    let told = before;
    for (const alert of dueAlerts(situation, this.#parts.clock.now(), before)) {
      try {
        await channel.send(alert);
      } catch (error) {
        lines.push(`alert could not be sent to ${channel.name}: ${explain(error)}`);
        return told;
      }
      told = afterTelling(told, alert);
      lines.push(`alert sent to ${channel.name}: ${title(alert)}`);
    }
    return told;
  }

  /** A record that can't be read is an empty one: what is the case now is told once more, and that is all. */
  async #read(lines: string[]): Promise<ReadonlyMap<string, Told>> {
    try {
      const text = await readIfExists(this.#parts.path);
      if (text === undefined) return new Map();
      const told = new Map<string, Told>(Object.entries(record.parse(JSON.parse(text))));
      this.#written = text;
      return told;
    } catch (error) {
      const [first] = messageOf(error).split('\n');
      lines.push(`the record of alerts in ${this.#parts.path} begins anew: it can't be read (${first})`);
      return new Map();
    }
  }

  async #write(told: ReadonlyMap<string, Told>, lines: string[]): Promise<void> {
    const text = JSON.stringify(Object.fromEntries(told));
    if (text === this.#written) return;
    try {
      await writeAtomically(this.#parts.path, text, 0o600);
      this.#written = text;
    } catch (error) {
      lines.push(
        `the record of alerts could not be written, a restart would send them again: ${messageOf(error)}`,
      );
    }
  }
}

function explain(error: unknown): string {
  if (error instanceof Failure) return `${error.message}. ${error.remedy}`;
  return `unexpected ${error instanceof Error ? error.name : typeof error}`; // its message could hold a secret
}
