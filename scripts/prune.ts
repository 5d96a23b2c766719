import { Command } from 'commander';
import type { App } from '../src/app/app.ts';
import {
  type Assessment,
  assess,
  giveUpEarlier,
  isEmpty,
  openPrune,
  openStorehouse,
  prune,
  recordPruned,
  toGiveUpEarlier,
  undo,
} from '../src/app/prune.ts';
import { agrees } from '../src/cli/consent.ts';
import { main } from '../src/cli/main.ts';
import {
  chooseRetention,
  expectRepositories,
  idlePatterns,
  namesOf,
  type PruneOptions,
  referenceIn,
  withPruneOptions,
} from '../src/cli/prune-options.ts';
import { showPlan } from '../src/cli/prune-report.ts';
import {
  printPlan,
  sayWhatDaemonFollows,
  showAnswer,
  showApplied,
  showReturned,
} from '../src/cli/prune-result.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { handOn, type Rules, readRules, whatDaemonFollows } from '../src/retention/handed-on.ts';
import type { Retention } from '../src/retention/rules.ts';
import { explain } from '../src/retention/why.ts';
import type { Settings } from '../src/settings/settings.ts';

await main(
  withPruneOptions(
    new Command('npm run prune --').description(
      'Removes the tags that no rule keeps: shows a plan first, and brings back what it removed.',
    ),
  ).action(async (options: PruneOptions) => {
    const { app, settings } = await openPrune();
    if (options.undo !== undefined) {
      const names = namesOf(options.undo).map((each) => referenceIn(settings, each));
      showReturned(await undo(app, settings, names), options.json);
      return;
    }
    const file = await readRules(app.paths);
    const retention = chooseRetention(options, file);
    const found = await assess(app, settings, await openStorehouse(app, settings), retention);
    expectRepositories(options.repo, found.inventory);
    if (options.why === undefined) {
      await carryOut(app, settings, {
        options,
        retention,
        found,
        file: retention.byFlags ? undefined : file,
      });
      return;
    }
    const reference = referenceIn(settings, options.why);
    showAnswer(reference, explain(reference, found.inventory, found.plan, found.remembered), options.json);
  }),
);

interface Wish {
  readonly options: PruneOptions;
  readonly retention: Retention;
  readonly found: Assessment;
  /** The rules of retention.yaml, where they and no flags decide. */
  readonly file: Rules | undefined;
}

/** Shows the plan, asks, and does it. */
async function carryOut(
  app: App,
  settings: Settings,
  { options, retention, found, file }: Wish,
): Promise<void> {
  const { json, yes, dryRun, verbose } = options;
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const earlier = toGiveUpEarlier(found, retention, options.undoDays);
  const nothing = isEmpty(found.plan) && earlier === 0;
  if (!json) showPlan(terminal, found.plan, { now: app.clock.now(), verbose, earlier });
  if (file !== undefined)
    for (const { input, message } of idlePatterns(retention, found.inventory))
      terminal.paragraph(`${input}: ${message}`);
  const agreed = !dryRun && (nothing || (await agrees(terminal, yes, 'Remove them?')));

  if (file !== undefined) {
    const handedOn = agreed ? await handOn(app.paths, file) : undefined;
    sayWhatDaemonFollows(terminal, await whatDaemonFollows(app.paths, file), handedOn);
  }
  const applied = agreed && !nothing ? await prune(app, settings, retention, found.plan) : undefined;
  if (applied !== undefined) await recordPruned(app, applied);
  if (agreed && earlier > 0) await giveUpEarlier(app, retention);
  if (agreed && !nothing) showApplied(terminal, applied, retention.undoDays);
  if (json) printPlan(found.plan, applied);
}
