import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, writeAtomically } from '../system/files.ts';
import { readable, readLines } from '../system/json-lines.ts';

const shape = z.object({
  at: z.coerce.date(),
  /** `order`: asked for at a CA; `issued`: given; `failed`: refused or not to be had; `served`: nginx shows it. */
  event: z.enum(['order', 'issued', 'failed', 'served']),
  /** URL of the ACME directory. */
  directory: z.string().optional(),
  names: z.array(z.string()),
  /** `order`: it names the certificate it replaces, so it does not count against the CA's limits (RFC 9773). */
  replaces: z.boolean().optional(),
  fingerprint: z.string().optional(),
  /** `failed`: who has to act, the type of the CA's problem document, and what was said. */
  blame: z.string().optional(),
  problem: z.string().optional(),
  message: z.string().optional(),
});

export type Entry = z.infer<typeof shape>;

/** The CA's longest limit looks back a week; a person wants to look back a little further. */
const REMEMBER = 92 * 24 * 3_600_000;
const ROTATE_ABOVE = 2_000;

/** Every attempt to get a certificate, one JSON object a line. What is counted against a CA's limits is counted here. */
export class Ledger {
  readonly #path: string;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** On the disk when it returns: an order that is not written down is not placed. */
  async add(entry: Omit<Entry, 'at'>): Promise<void> {
    await ensureDirectory(dirname(this.#path));
    const line = JSON.stringify({ at: this.#clock.now(), ...entry });
    const file = await open(this.#path, 'a+', 0o600);
    try {
      // Ends a line that a full disk or a kill left half written.
      const { size } = await file.stat();
      const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: Math.max(0, size - 1) });
      const whole = size === 0 || buffer.toString() === '\n';
      await file.appendFile(`${whole ? '' : '\n'}${line}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** All entries, the oldest first. Lines that can't be read are left out. */
  async read(): Promise<Entry[]> {
    const lines = await readLines(this.#path);
    const entries = readable(lines, shape);
    if (lines.length > ROTATE_ABOVE) await this.#forgetOld(entries);
    return entries;
  }

  async #forgetOld(entries: readonly Entry[]): Promise<void> {
    const since = this.#clock.now().getTime() - REMEMBER;
    const kept = entries.filter(({ at }) => at.getTime() >= since).slice(-ROTATE_ABOVE / 2);
    await writeAtomically(this.#path, kept.map((entry) => `${JSON.stringify(entry)}\n`).join(''), 0o600);
  }
}
