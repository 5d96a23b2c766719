import { join } from 'node:path';
import { z } from 'zod';
import { keyToPem, newKeyPair } from '../certificates/x509.ts';
import { ensureDirectory, readIfExists, removeSynced, writeAtomically } from '../system/files.ts';
import { parseAs } from '../system/json.ts';

const shape = z.object({
  names: z.array(z.string()),
  url: z.url().optional(),
  exempt: z.boolean().default(false),
  stuck: z.number().int().default(0),
});

/** An order that was begun: its key is on the disk before the CA hears of it, its URL as soon as the CA gave one. */
export interface Begun {
  readonly names: readonly string[];
  /** PEM, PKCS #8, P-256: the key of the certificate. */
  readonly key: string;
  /** `undefined` until the CA has answered. */
  readonly url: string | undefined;
  /** It names its predecessor, so the CA does not count it (RFC 9773 section 5). */
  readonly exempt: boolean;
  /** How often the CA did not bring it to an end when it was gone on with. */
  readonly stuck: number;
}

/** Remembers the one order under way at a CA, so that a run that was killed goes on where it was. */
export class BegunOrder {
  readonly #folder: string;

  /** @param folder of the account at this CA */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `undefined` also when what is there can't be read: then it is begun anew. */
  async read(): Promise<Begun | undefined> {
    const [text, key] = [await readIfExists(this.#record), await readIfExists(this.#key)];
    if (text === undefined || key === undefined) return undefined;
    const begun = parseAs(text, shape);
    return begun && { names: begun.names, key, url: begun.url, exempt: begun.exempt, stuck: begun.stuck };
  }

  async begin(names: readonly string[]): Promise<Begun> {
    await ensureDirectory(this.#folder, 0o700);
    const key = await keyToPem((await newKeyPair()).privateKey);
    await this.forget();
    await writeAtomically(this.#key, key, 0o600);
    await writeAtomically(this.#record, JSON.stringify({ names }), 0o600);
    return { names, key, url: undefined, exempt: false, stuck: 0 };
  }

  async placed(begun: Begun, url: string, exempt: boolean): Promise<Begun> {
    return this.#write({ ...begun, url, exempt });
  }

  /** The CA did not bring it to an end once more. */
  async stuck(begun: Begun): Promise<void> {
    await this.#write({ ...begun, stuck: begun.stuck + 1 });
  }

  /** The record goes first: a key without a record is no order. */
  async forget(): Promise<void> {
    await removeSynced(this.#record);
    await removeSynced(this.#key);
  }

  async #write(begun: Begun): Promise<Begun> {
    const { key, ...record } = begun;
    await writeAtomically(this.#record, JSON.stringify(record), 0o600);
    return begun;
  }

  get #record(): string {
    return join(this.#folder, 'order.json');
  }

  get #key(): string {
    return join(this.#folder, 'order-key.pem');
  }
}
