import type { Fields, Kind } from './fault-rules.ts';

const DIRECTORY = ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange', 'renewalInfo'] as const;

/** Knows what a URL is for by what the CA's answers said of it, as a client does. */
export class AcmeEndpoints {
  readonly #kinds = new Map<string, Kind>();
  #renewalInfo: string | undefined;

  constructor(directory: string) {
    this.#kinds.set(directory, 'directory');
  }

  kindOf(path: string): Kind {
    if (this.#renewalInfo !== undefined && path.startsWith(`${this.#renewalInfo}/`)) return 'renewalInfo';
    return this.#kinds.get(path) ?? 'other';
  }

  /** Takes in an answer of the CA. */
  learn(asked: Kind, location: string | undefined, answer: Fields): void {
    if (asked === 'newOrder') this.#set(location, 'order');
    if (asked === 'newAccount') this.#set(location, 'account');
    if (asked === 'newOrder' || asked === 'order' || asked === 'finalize') {
      for (const url of list(answer.authorizations)) this.#set(url, 'authorization');
      this.#set(answer.finalize, 'finalize');
      this.#set(answer.certificate, 'certificate');
    }
    if (asked === 'authorization') {
      for (const challenge of list(answer.challenges)) {
        if (typeof challenge === 'object' && challenge !== null && 'url' in challenge)
          this.#set(challenge.url, 'challenge');
      }
    }
    if (asked === 'directory') {
      for (const kind of DIRECTORY) this.#set(answer[kind], kind);
      if (typeof answer.renewalInfo === 'string') this.#renewalInfo = new URL(answer.renewalInfo).pathname;
    }
  }

  #set(url: unknown, kind: Kind): void {
    if (typeof url === 'string') this.#kinds.set(new URL(url).pathname, kind);
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
