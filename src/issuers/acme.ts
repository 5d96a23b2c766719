import { join } from 'node:path';
import type { Order as Placed } from 'acme-client';
import { type AccountOptions, forgetAccount, openAccount } from '../acme/account.ts';
import { type Begun, BegunOrder } from '../acme/begun-order.ts';
import { type DirectoryObject, readDirectory } from '../acme/directory.ts';
import { Orders } from '../acme/orders.ts';
import { AcmeProblem, isProblem, readProblem } from '../acme/problem.ts';
import { readRenewalInfo } from '../acme/renewal-info.ts';
import { persistently } from '../acme/retry.ts';
import { readCertificate } from '../certificates/certificate.ts';
import { nameDifference } from '../certificates/decide.ts';
import {
  IssuanceFailure,
  type Issued,
  type Issuer,
  type Order,
  type Origin,
  type SuggestedWindow,
} from '../certificates/issuer.ts';
import type { Ledger } from '../certificates/ledger.ts';
import type { Limits } from '../certificates/limits.ts';
import type { Report } from '../step.ts';
import { place, requestFor } from './acme-request.ts';
import { authorize } from './authorize.ts';
import type { Doubts } from './doubts.ts';
import { expectRightClock, expectWithinLimits } from './preflight.ts';
import { explain, withDoubts } from './refusals.ts';
import type { Solver } from './solver.ts';
import { isFresh } from './takeover.ts';

/** An order that so many later runs could not bring to an end either is left, and another one placed. */
const STUCK_FOR_GOOD = 3;

export interface AcmeOptions extends AccountOptions {
  /** What the CA is known to allow; `undefined` for one without known limits. */
  readonly limits: Limits | undefined;
  /** The certificate profile to ask for, where the CA has it. */
  readonly profile: string | undefined;
  readonly solver: Solver;
  readonly ledger: Ledger;
  /** The same on the CA's staging server. */
  readonly staging: AcmeIssuer | undefined;
  /** Looks for reasons after a refusal; only for CAs that see what the world sees. */
  readonly doubts: Doubts | undefined;
  /** Orders here cost nothing: it is no public CA's production server. */
  readonly free: boolean;
}

/**
 * Asks an ACME CA in this process (RFC 8555). Every step is on the disk before the next one: the key before the order,
 * the order's URL at once, so that a run that was killed goes on with the same order.
 */
export class AcmeIssuer implements Issuer {
  readonly origin: Origin;
  readonly #options: AcmeOptions;
  readonly #begun: BegunOrder;

  constructor(options: AcmeOptions) {
    this.#options = options;
    this.origin = { issuer: 'acme', directory: options.directory };
    this.#begun = new BegunOrder(options.folder);
  }

  async issue(order: Order, report: Report): Promise<Issued> {
    if (order.rehearse) await this.#rehearseFirst(order, report);
    try {
      return await this.#issueAsKnown(order, report);
    } catch (error) {
      const { directory, doubts } = this.#options;
      throw await withDoubts(explain(error, directory, order.names), doubts, order.names);
    }
  }

  async rehearse(order: Order, report: Report): Promise<string> {
    const { directory, staging, free } = this.#options;
    if (staging !== undefined) return staging.rehearse(order, report);
    const host = new URL(directory).host;
    if (free) {
      // With an account of its own: the order that led to the certificate in force stays where it is.
      const apart = new AcmeIssuer({ ...this.#options, folder: join(this.#options.folder, 'rehearsal') });
      await apart.issue({ ...order, rehearse: false }, report);
      await apart.#begun.forget();
      return `${host} issued a certificate, and it was thrown away`;
    }
    try {
      await this.#prepare(order, report);
    } catch (error) {
      throw explain(error, directory, order.names);
    }
    return `${host} answers, knows the account, and challenges are served; it has no staging server to go further`;
  }

  renewalInfo(chain: string): Promise<SuggestedWindow | undefined> {
    return readRenewalInfo(this.#options.directory, chain, this.#options.clock.now());
  }

  /** A staging server that is down must not stand in the way; one that can't see that the names are ours does. */
  async #rehearseFirst(order: Order, report: Report): Promise<void> {
    const { staging } = this.#options;
    if (staging === undefined) return;
    report('rehearsing on the staging server');
    try {
      await staging.rehearse(order, report);
    } catch (error) {
      if (error instanceof IssuanceFailure && error.blame === 'validation') throw error.onStaging();
      report('the staging server does not play its part; going on without a rehearsal');
    }
  }

  /** A CA may have lost the account: it is registered again with the same key, once. */
  async #issueAsKnown(order: Order, report: Report): Promise<Issued> {
    try {
      return await this.#issue(order, report);
    } catch (error) {
      if (!isProblem(error, 'accountDoesNotExist')) throw error;
      report('the CA does not know the account any more; registering it again');
      await forgetAccount(this.#options.folder);
      await this.#begun.forget();
      return this.#issue(order, report);
    }
  }

  async #issue(order: Order, report: Report): Promise<Issued> {
    const { directory, orders } = await this.#prepare(order, report);
    const left = await this.#begun.read();
    const useful = left !== undefined && nameDifference(left.names, order.names) === undefined;
    if (useful && left.url !== undefined && left.stuck < STUCK_FOR_GOOD) {
      const resumed = await this.#resume(orders, left, left.url, order, report);
      if (resumed !== undefined) return resumed;
    }
    const begun = useful && left.url === undefined ? left : await this.#begun.begin(order.names);
    const request = requestFor(
      order,
      directory,
      { origin: this.origin, profile: this.#options.profile },
      report,
    );
    report(`ordering from ${new URL(this.#options.directory).host}`);
    const taken = await place(orders, request, (each) => this.#writeDown(each), report);
    const recorded = await this.#begun.placed(begun, taken.placed.url, taken.request.replaces !== undefined);
    return this.#complete(orders, recorded, taken.placed, report);
  }

  /** All that can go wrong before the CA is asked for anything that it counts. */
  async #prepare({ names }: Order, report: Report): Promise<{ directory: DirectoryObject; orders: Orders }> {
    const { clock, solver, directory } = this.#options;
    await solver.check?.(names[0] ?? '');
    report(`asking ${new URL(directory).host}`);
    const object = await persistently(clock, () => readDirectory(directory));
    expectRightClock(clock.now(), object.date);
    return { directory: object, orders: new Orders(await openAccount(this.#options), clock) };
  }

  /** Goes on with the order that a killed run began. `undefined` when it is of no use any more. */
  async #resume(orders: Orders, begun: Begun, url: string, order: Order, report: Report) {
    try {
      const issued = await this.#complete(orders, begun, await orders.read(url), report);
      if (this.#isWanted(issued, order)) {
        report('taking over the certificate of the order that was begun');
        return issued;
      }
    } catch (error) {
      // Expired, refused, or lost by the CA: what is said about the old order is not about the next one.
      if (!(error instanceof AcmeProblem)) throw error;
      if (error.problem.status >= 500) {
        await this.#begun.stuck(begun);
        throw error;
      }
      if (isProblem(error, 'accountDoesNotExist', 'rateLimited')) throw error;
    }
    return undefined;
  }

  async #complete(orders: Orders, begun: Begun, placed: Placed, report: Report): Promise<Issued> {
    const { solver, ledger, directory } = this.#options;
    let order = placed;
    if (order.status === 'pending') {
      order = await authorize(orders, order, solver, report).catch(async (error: unknown) => {
        // An order with a failed authorization is over (RFC 8555 section 7.1.6).
        if (error instanceof IssuanceFailure) await this.#begun.forget();
        throw error;
      });
    }
    if (order.status === 'ready') {
      report('the CA signs');
      order = await orders.finalize(order, begun.names, begun.key);
    }
    if (order.status === 'processing') order = await orders.issued(order);
    if (order.status !== 'valid')
      throw new AcmeProblem(readProblem(403, order.error ?? `the order is ${order.status}`));
    const chain = await orders.download(order);
    const { fingerprint } = readCertificate(chain);
    const issuedBefore = (await ledger.read()).some((entry) => entry.fingerprint === fingerprint);
    if (!issuedBefore)
      await ledger.add({
        event: 'issued',
        directory,
        names: [...begun.names],
        fingerprint,
        replaces: begun.exempt,
      });
    return { privateKey: begun.key, chain, origin: this.origin };
  }

  async #writeDown({ names, replaces }: { names: readonly string[]; replaces: string | undefined }) {
    const { ledger, limits, directory, clock } = this.#options;
    const exempt = replaces !== undefined;
    await expectWithinLimits({ ledger, directory, limits, now: clock.now() }, names, exempt);
    await ledger.add({ event: 'order', directory, names: [...names], replaces: exempt });
  }

  #isWanted(issued: Issued, { names, replaces }: Order): boolean {
    if (!isFresh(issued, names, this.#options.clock.now())) return false;
    return readCertificate(issued.chain).fingerprint !== replaces?.fingerprint;
  }
}
