import type { Step } from '../../src/collection/parts.ts';
import type { Checkout } from './checkout.ts';
import { killAt } from './killed-command.ts';

/** Runs `npm run gc`, and ends it by a signal as soon as its journal names the step. Whether it came to that. */
export async function killGcAt(checkout: Checkout, step: Step, signal?: NodeJS.Signals): Promise<boolean> {
  return killAt(checkout, { name: 'gc', args: [] }, step, signal);
}
