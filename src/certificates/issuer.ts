import { Failure } from '../errors.ts';
import type { Report } from '../step.ts';

/** What is asked of an issuer. */
export interface Order {
  /** DNS names and IP addresses; the first is the subject. */
  readonly names: readonly string[];
  /** The certificate that the new one takes the place of: that very one is no answer. */
  readonly replaces: Replaced | undefined;
  /** Go the whole way on the CA's staging server first, where there is one. */
  readonly rehearse?: boolean;
}

export interface Replaced {
  readonly fingerprint: string;
  /** PEM, leaf first */
  readonly chain: string;
  readonly origin: Origin;
}

/** What an issuer hands back. Nothing of it has been verified or stored yet. */
export interface Issued {
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** PEM, the leaf first, each certificate followed by the one that signed it (RFC 8446 section 4.4.2). */
  readonly chain: string;
  readonly origin: Origin;
}

/** Where a certificate comes from. A certificate of another origin than the one wanted is replaced. */
export type Origin =
  | { readonly issuer: 'placeholder' }
  | { readonly issuer: 'local' }
  | { readonly issuer: 'provided' }
  /** Plain HTTP. */
  | { readonly issuer: 'none' }
  /** `directory` is the URL of the ACME directory object. */
  | { readonly issuer: 'certbot' | 'acme'; readonly directory: string };

/** Gets certificates from somewhere. Knows nothing of the store or of nginx. */
export interface Issuer {
  readonly origin: Origin;
  /** @throws IssuanceFailure, or Failure where the fault is here */
  issue(order: Order, report: Report): Promise<Issued>;
  /**
   * Goes the whole way without a certificate that counts, and says in words how far that was.
   * @throws as `issue` does
   */
  rehearse(order: Order, report: Report): Promise<string>;
  /** When the CA would like a chain of its own to be renewed; `undefined` where it does not say. */
  renewalInfo?(chain: string): Promise<SuggestedWindow | undefined>;
  /** Fingerprint of the certificate that lies ready, where somebody else makes them. */
  offered?(): Promise<string | undefined>;
}

/** A renewal window that a CA suggests (RFC 9773 section 4.2). */
export interface SuggestedWindow {
  readonly start: Date;
  readonly end: Date;
  /** URL of a page about the reason. */
  readonly explanation: string | undefined;
  /** When the CA wants to be asked again. */
  readonly retryAfter: Date | undefined;
}

/**
 * Who has to act: `validation`: the CA could not see that the name is ours; `limit`: too many requests; `ca`: it
 * answered with an error of its own or refused; `network`: it could not be reached.
 */
export type Blame = 'validation' | 'limit' | 'ca' | 'network';

/** A certificate was asked for and not given. */
export class IssuanceFailure extends Failure {
  readonly blame: Blame;
  /** `rateLimited`, `unauthorized`, …: the type in the CA's problem document (RFC 8555 section 6.7). */
  readonly problem: string | undefined;
  /** When the CA wants to be asked again. */
  readonly retryAfter: Date | undefined;
  /** It was the staging server that said no. */
  readonly rehearsal: boolean;

  constructor(failure: {
    readonly blame: Blame;
    readonly message: string;
    readonly remedy: string;
    readonly problem?: string | undefined;
    readonly retryAfter?: Date | undefined;
    readonly rehearsal?: boolean;
    readonly cause?: unknown;
  }) {
    const code = failure.blame === 'network' ? 'issuance-failed' : 'issuance-refused';
    super(code, failure.message, failure.remedy, { cause: failure.cause });
    this.blame = failure.blame;
    this.problem = failure.problem;
    this.retryAfter = failure.retryAfter;
    this.rehearsal = failure.rehearsal ?? false;
  }

  /** The same, told of the staging server. */
  onStaging(): IssuanceFailure {
    return new IssuanceFailure({ ...this, message: this.message, remedy: this.remedy, rehearsal: true });
  }

  /** The same, with what else is known, a line each. */
  with(lines: readonly string[]): IssuanceFailure {
    const message = [this.message, ...lines.map((line) => `  ${line}`)].join('\n');
    return new IssuanceFailure({ ...this, message, remedy: this.remedy });
  }
}

export function sameOrigin(one: Origin, other: Origin): boolean {
  return one.issuer === other.issuer && directoryOf(one) === directoryOf(other);
}

/** URL of the ACME directory behind an origin, if there is one. */
export function directoryOf(origin: Origin): string | undefined {
  return 'directory' in origin ? origin.directory : undefined;
}

/** `certbot from acme.example`, `local`. */
export function describeOrigin(origin: Origin): string {
  const directory = directoryOf(origin);
  return directory === undefined ? origin.issuer : `${origin.issuer} from ${new URL(directory).host}`;
}
