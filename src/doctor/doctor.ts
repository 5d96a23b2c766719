import { messageOf } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { atOnce, type Check, conduct, inTurn, type Result, type Told } from './check.ts';
import { type Checks, MENDED } from './checks.ts';
import type { Context, Ground } from './context.ts';
import { broken, warning } from './finding.ts';
import { findSettings, settingsCheck } from './machine/settings.ts';
import { withVisit } from './path/stay.ts';
import type { Visit } from './path/visit.ts';

export interface Mended {
  readonly name: string;
  /** What was done, or why it could not be. */
  readonly did: string;
  readonly well: boolean;
}

/** A context is opened anew after something was mended: it remembers what it has seen. */
export type Open = (settings: Settings) => Context;

/** Does what is safe about what is found. */
export async function mend(ground: Ground, open: Open): Promise<Mended[]> {
  const found = await findSettings(ground);
  if (found.kind !== 'loaded') return [];
  const done: Mended[] = [];
  for (const check of MENDED) {
    const { name, finding } = await conduct(check, open(found.settings), () => undefined);
    if (finding.fix?.safe === undefined) continue;
    done.push(
      await finding.fix.safe().then(
        (did) => ({ name, did, well: true }),
        (error) => ({ name, did: messageOf(error), well: false }),
      ),
    );
  }
  return done;
}

/** Looks at everything that was chosen, as far as there is something to look at. */
export async function examine(ground: Ground, checks: Checks, open: Open, told: Told): Promise<Result[]> {
  const results = await atOnce(checks.ground, ground, told);
  const found = await findSettings(ground);
  if (found.kind !== 'loaded') {
    const said = checks.ground.includes(settingsCheck);
    return said ? results : [...results, ...(await atOnce([settingsCheck], ground, told))];
  }
  const context = open(found.settings);
  results.push(...(await atOnce(checks.state, context, told)));
  results.push(...(await visit(context, checks.path, told)));
  return results;
}

async function visit(context: Context, checks: readonly Check<Visit>[], told: Told): Promise<Result[]> {
  if (checks.length === 0) return [];
  told.waiting('login', 'making a user for a moment');
  try {
    const { value, left } = await withVisit(context, (client) => inTurn(checks, client, told));
    if (left === undefined) return value;
    return [
      ...value,
      tell(told, warning(`what was pushed could not be taken away again: ${left}`, 'npm run gc')),
    ];
  } catch (error) {
    return [tell(told, broken(`nobody could log in for a moment: ${messageOf(error)}`))];
  }
}

function tell(told: Told, finding: Result['finding']): Result {
  const result: Result = { name: 'visit', group: 'Path of a client', finding };
  told.found(result);
  return result;
}
