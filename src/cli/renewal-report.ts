import { describeSeries } from '../certificates/attempts.ts';
import { directoryOf } from '../certificates/issuer.ts';
import type { Entry } from '../certificates/ledger.ts';
import { describeUse, knownLimits, usage } from '../certificates/limits.ts';
import type { Outlook, RenewalParts } from '../certificates/outlook.ts';
import { moment } from '../certificates/words.ts';

/** One line of the report: what it is about, and the words. */
export type Line = readonly [title: string, text: string];

/**
 * What a person wants to know before something is done: the decision and why, what failed, what the CA still allows.
 * @param acts whether more is done than what was decided; else the decision is told by the step that keeps to it
 */
export function renewalReport(
  outlook: Outlook,
  entries: readonly Entry[],
  parts: RenewalParts,
  acts: boolean,
): Line[] {
  const decision = acts || outlook.decision.kind === 'issue' ? [decisionLine(outlook)] : [];
  return [...decision, ...failureLines(outlook), ...budgetLines(entries, parts), ...attemptLines(entries)];
}

/** What a renewal that is not due costs, told before it is done. */
export function forceWarning(entries: readonly Entry[], { issuer, names, clock }: RenewalParts): Line {
  const directory = directoryOf(issuer.origin);
  if (directory === undefined) return ['Forced', 'costs nothing: no CA counts it'];
  const limits = knownLimits(directory);
  const host = new URL(directory).host;
  if (limits === undefined) return ['Forced', `${host} may count this; its limits are not known`];
  const [sameNames] = usage(entries, limits, directory, names, clock.now());
  return ['Forced', `${host} counts this: so far ${sameNames ? describeUse(sameNames) : 'nothing'}`];
}

function decisionLine({ decision }: Outlook): Line {
  return decision.kind === 'issue'
    ? ['Certificate', `to be renewed: ${decision.reason}`]
    : ['Certificate', `${decision.reason}; nothing to do`];
}

function failureLines({ failure }: Outlook): Line[] {
  if (failure === undefined) return [];
  return [
    ['Last error', failure.message],
    ['Attempts', describeSeries(failure)],
  ];
}

function budgetLines(entries: readonly Entry[], { issuer, names, clock }: RenewalParts): Line[] {
  const directory = directoryOf(issuer.origin);
  if (directory === undefined) return [];
  const limits = knownLimits(directory);
  const host = new URL(directory).host;
  if (limits !== undefined) {
    const uses = usage(entries, limits, directory, names, clock.now());
    return [['Budget', `${uses.map(describeUse).join(', ')} at ${host}`]];
  }
  const week = clock.now().getTime() - 7 * 24 * 3_600_000;
  const orders = entries.filter((each) => each.event === 'order' && each.directory === directory);
  const recent = orders.filter(({ at }) => at.getTime() >= week).length;
  return [['Orders', `${recent} in the last 7 days at ${host}, of which no limits are known`]];
}

function whose(blame: string | undefined): string {
  switch (blame) {
    case 'network':
      return 'the CA could not be reached';
    case 'here':
      return 'on this machine';
    default:
      return 'at the CA';
  }
}

function attemptLines(entries: readonly Entry[]): Line[] {
  const last = entries.findLast(({ event }) => event === 'served' || event === 'failed');
  if (last === undefined) return [];
  const what = last.event === 'served' ? 'a new certificate' : `failed, ${last.problem ?? whose(last.blame)}`;
  return [['Last attempt', `${moment(last.at)}: ${what}`]];
}
