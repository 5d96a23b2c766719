import { sizeInWords } from '../low-water.ts';
import type { Action, Staying } from '../uninstall/action.ts';
import { type Outcome, TITLES } from '../uninstall/carry-out.ts';
import type { Found } from '../uninstall/found.ts';
import { folded, nameOf } from '../uninstall/names.ts';
import type { Plan } from '../uninstall/plan.ts';
import type { StepRecord } from './story.ts';
import type { Terminal } from './terminal.ts';

export function showPlan(terminal: Terminal, { actions, kept, remains }: Plan): void {
  if (actions.length === 0) terminal.line('Nothing of Moorage is left here to remove.');
  else {
    terminal.line('This goes:');
    const kinds = [...new Set(actions.map(({ kind }) => kind))];
    terminal.table(
      kinds.map((kind) => [
        TITLES[kind],
        namesWithSizes(actions.filter((each) => each.kind === kind)).join(', '),
      ]),
    );
  }
  showStaying(terminal, 'This stays:', kept);
  showStaying(terminal, 'This can’t be removed now:', remains);
}

/** What was not known before. */
export function showOutcome(terminal: Terminal, plan: Plan, { kept, remains }: Outcome): void {
  const isNew = (old: readonly Staying[]) => (one: Staying) => !old.some(({ what }) => what === one.what);
  showStaying(terminal, 'This stays, too:', kept.filter(isNew(plan.kept)));
  showStaying(terminal, 'This remains:', remains);
}

function showStaying(terminal: Terminal, title: string, all: readonly Staying[]): void {
  if (all.length === 0) return;
  terminal.line(title);
  for (const { what, why, command } of all) {
    terminal.paragraph(`  ${what}: ${why}`);
    if (command !== undefined) terminal.line(`    ${command}`);
  }
}

interface Told {
  readonly found: Found;
  readonly plan: Plan;
  readonly purge: boolean;
  /** `undefined` where nothing was done. */
  readonly outcome: Outcome | undefined;
  readonly steps: readonly StepRecord[];
}

/** For programs. */
export function uninstallAsJson({ found, plan, purge, outcome, steps }: Told): string {
  const { checkout, domain, project } = found;
  const told = {
    checkout,
    domain,
    project: project ?? null,
    purge,
    done: outcome !== undefined,
    changed: (outcome?.removed.length ?? 0) > 0,
    planned: plan.actions.map(plainly),
    removed: (outcome?.removed ?? []).map(plainly),
    kept: outcome?.kept ?? plan.kept,
    remains: outcome?.remains ?? plan.remains,
    steps,
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}

function plainly(action: Action) {
  return { kind: action.kind, name: action.name, ...('bytes' in action ? { bytes: action.bytes } : {}) };
}

function namesWithSizes(actions: readonly Action[]): readonly string[] {
  const names = actions.map(nameOf);
  if (folded(names).length === names.length)
    return actions.map((each) => `${nameOf(each)}${'bytes' in each ? ` (${sizeInWords(each.bytes)})` : ''}`);
  const bytes = actions.reduce((sum, each) => sum + ('bytes' in each ? each.bytes : 0), 0);
  return [`${folded(names).join(', ')} (${sizeInWords(bytes)})`];
}
