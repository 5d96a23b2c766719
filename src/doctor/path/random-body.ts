import { createCipheriv, createHash, randomBytes } from 'node:crypto';

const PIECE = 64 * 1024;

/** So many bytes that nobody has and nothing can compress, made anew each time they are wanted. Nothing is kept. */
export class RandomBody {
  readonly bytes: number;
  readonly #key = randomBytes(16);
  #digest: string | undefined;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** The key stream of AES in counter mode. `from` is a multiple of 64 KiB. */
  *pieces(from = 0, to = this.bytes): Generator<Buffer> {
    const counter = Buffer.alloc(16);
    counter.writeBigUInt64BE(BigInt(from / 16), 8);
    const cipher = createCipheriv('aes-128-ctr', this.#key, counter);
    for (let at = from; at < to; at += PIECE) yield cipher.update(Buffer.alloc(Math.min(PIECE, to - at)));
  }

  /** `sha256:…` */
  get digest(): string {
    this.#digest ??= this.digestOf(0, this.bytes);
    return this.#digest;
  }

  digestOf(from: number, to: number): string {
    const hash = createHash('sha256');
    for (const piece of this.pieces(from, to)) hash.update(piece);
    return `sha256:${hash.digest('hex')}`;
  }
}
